"""Scores the rows of a file of pairs by the model itself, in float32, without a server: what every logprob source must come to.

    python reference.py MODEL PAIRS > OUT

MODEL: directory of a Qwen2.5-VL. PAIRS: as of `darkroom score`, with the words that a scorer is asked, "system" and
"question", in each row. OUT: rows with id and score.
"""

import json
import pathlib
import sys

import torch
from make_tiny import conversation
from PIL import Image
from transformers import AutoTokenizer, Qwen2_5_VLForConditionalGeneration, Qwen2VLImageProcessor

LABELS = ["0", "1", "2", "3", "4", "5"]


def main() -> None:
    directory, pairs = (pathlib.Path(argument) for argument in sys.argv[1:3])
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(directory)
    processor = Qwen2VLImageProcessor.from_pretrained(directory)
    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(directory, dtype=torch.float32).eval()
    ids = [tokenizer.convert_tokens_to_ids(label) for label in LABELS]
    for line in pairs.read_text().splitlines():
        row = json.loads(line)
        shown = [row[key] for key in ("source", "edited", "reference") if key in row]
        pictures = [Image.open(pairs.parent / name).convert("RGB") for name in shown]
        seen = processor(images=pictures, return_tensors="pt")
        prompt = tokenizer.apply_chat_template(
            conversation(row["system"], row["question"], len(shown)),
            tokenize=False,
            add_generation_prompt=True,
        )
        for grid in seen["image_grid_thw"]:
            patches = int(grid.prod()) // processor.merge_size**2
            prompt = prompt.replace("<|image_pad|>", "<|held|>" * patches, 1)
        prompt = prompt.replace("<|held|>", "<|image_pad|>")
        tokens = tokenizer(prompt, return_tensors="pt", add_special_tokens=False)
        kinds = (tokens["input_ids"] == tokenizer.convert_tokens_to_ids("<|image_pad|>")).long()
        with torch.no_grad():
            logits = model(
                input_ids=tokens["input_ids"],
                attention_mask=tokens["attention_mask"],
                pixel_values=seen["pixel_values"],
                image_grid_thw=seen["image_grid_thw"],
                mm_token_type_ids=kinds,
            ).logits[0, -1, ids]
        share = torch.softmax(logits.double(), 0)
        score = float((share * torch.arange(len(LABELS))).sum()) / (len(LABELS) - 1)
        print(json.dumps({"id": row["id"], "score": score}), flush=True)


if __name__ == "__main__":
    main()
