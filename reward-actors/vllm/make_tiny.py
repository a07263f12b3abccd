"""Makes a tiny Qwen2.5-VL that vLLM serves: random weights, a byte-level tokenizer whose digits are single tokens.

    python make_tiny.py OUT [--seed 0]

0.8 million parameters. The directory is a Hugging Face checkpoint like any other.
"""

import argparse
import json
import pathlib

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
)

SPECIAL = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
]
WORDS = ["Yes", "No"]
VOCABULARY = 1024

# Qwen's: one token a digit.
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}"
    "{% if part['type'] in ('image', 'image_url') %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif part['type'] == 'text' %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def conversation(system: str, question: str, pictures: int) -> list[dict]:
    """The messages of a question, as Darkroom's client sends them: a system message if any, pictures, then words."""
    before = [{"role": "system", "content": system}] if system else []
    content = [{"type": "image"}] * pictures + [{"type": "text", "text": question}]
    return [*before, {"role": "user", "content": content}]


def tokenizer(out: pathlib.Path, vocabulary: dict[str, int], merges: list[tuple[str, str]]) -> PreTrainedTokenizerFast:
    """Saves a byte-level BPE with Qwen's pre-tokenizer, special tokens and turns."""
    fast = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    fast.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    fast.decoder = decoders.ByteLevel()
    made = PreTrainedTokenizerFast(
        tokenizer_object=fast,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=[token for token in SPECIAL if token not in ("<|im_end|>", "<|endoftext|>")],
        chat_template=CHAT_TEMPLATE,
    )
    made.save_pretrained(out)
    settings = json.loads((out / "tokenizer_config.json").read_text())
    settings["tokenizer_class"] = "Qwen2Tokenizer"
    (out / "tokenizer_config.json").write_text(json.dumps(settings, indent=2))
    return made


def of_words(words: list[str]) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """The bytes and what leads from them to the words."""
    vocabulary = {symbol: i for i, symbol in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    merges = []
    for word in words:
        for i in range(1, len(word)):
            merges.append((word[:i], word[i]))
            vocabulary.setdefault(word[: i + 1], len(vocabulary))
    return vocabulary, merges


def special_ids(made: PreTrainedTokenizerFast) -> dict[str, int]:
    """Where a Qwen2_5_VLConfig wants its special tokens."""
    ids = {token: made.convert_tokens_to_ids(token) for token in SPECIAL}
    return {
        "bos_token_id": ids["<|endoftext|>"],
        "eos_token_id": ids["<|im_end|>"],
        "vision_start_token_id": ids["<|vision_start|>"],
        "vision_end_token_id": ids["<|vision_end|>"],
        "vision_token_id": ids["<|vision_pad|>"],
        "image_token_id": ids["<|image_pad|>"],
        "video_token_id": ids["<|video_pad|>"],
    }


def model(out: pathlib.Path, made: PreTrainedTokenizerFast, seed: int) -> None:
    config = Qwen2_5_VLConfig(
        vocab_size=VOCABULARY,
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        rope_scaling={"type": "mrope", "mrope_section": [4, 6, 6], "rope_type": "default"},
        tie_word_embeddings=False,
        **special_ids(made),
        vision_config={
            "depth": 2,
            "hidden_size": 64,
            "intermediate_size": 128,
            "num_heads": 2,
            "out_hidden_size": 128,
            "patch_size": 14,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "window_size": 112,
            "fullatt_block_indexes": [1],
        },
    )
    torch.manual_seed(seed)
    network = Qwen2_5_VLForConditionalGeneration(config)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim > 1:
                parameter.mul_(2)  # of the initial .02, scores would hardly react to pictures
    network.save_pretrained(out)


def preprocessor(out: pathlib.Path, patch_size: int, pixels_min: int, pixels_max: int) -> None:
    """Saves what is done to a picture before it is cut into patches."""
    settings = {
        "image_processor_type": "Qwen2VLImageProcessor",
        "processor_class": "Qwen2_5_VLProcessor",
        "patch_size": patch_size,
        "temporal_patch_size": 2,
        "merge_size": 2,
        "min_pixels": pixels_min,
        "max_pixels": pixels_max,
        "image_mean": [0.48145466, 0.4578275, 0.40821073],
        "image_std": [0.26862954, 0.26130258, 0.27577711],
    }
    (out / "preprocessor_config.json").write_text(json.dumps(settings, indent=2))


def generation(out: pathlib.Path, made: PreTrainedTokenizerFast) -> None:
    """Saves defaults as Qwen's own, which bend log-probabilities unless a request says otherwise."""
    settings = {
        "bos_token_id": made.pad_token_id,
        "eos_token_id": [made.eos_token_id, made.pad_token_id],
        "pad_token_id": made.pad_token_id,
        "do_sample": True,
        "temperature": 0.000001,
        "top_k": 1,
        "top_p": 0.001,
        "repetition_penalty": 1.05,
    }
    (out / "generation_config.json").write_text(json.dumps(settings, indent=2))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    made = tokenizer(arguments.out, *of_words(WORDS))
    model(arguments.out, made, arguments.seed)
    preprocessor(arguments.out, 14, 3136, 1003520)
    generation(arguments.out, made)


if __name__ == "__main__":
    main()
