"""Trains a tiny Qwen2.5-VL to judge edits, and saves it as a checkpoint that vLLM serves.

    python train_judge.py EXAMPLES OUT [--learning-rate RATE] [--minutes M] [--workers W] [--seed S]

EXAMPLES is a directory with

    pictures.rgb     pictures one after the other, [SIDE, SIDE, 3] bytes each
    train.jsonl      a line for each row: {"side", "system", "question", "source", "reference", "target", "edited",
                     "truth"}
    held-out.jsonl   the same, to be scored in the end

system: the system message, empty for none; question: the text that a scorer is asked; source, reference (or null), target:
places in pictures.rgb; edited: places of edits; truth: of each edit, from 0 to 1. All rows of train.jsonl have the same number
of edits.

Standard output has JSON lines: {"examples", "likelihood", "ranking"}, means since the line before, and last {"scores"}, of
the edits of each held-out row. Interrupted, it leaves nothing in OUT but what it has written so far, and ends with 130.

The losses are those of the embedded judge: likelihood of the labels beside the truth among all tokens, squared error of the
expectation, order of the edits of a row; by heads that are not saved, what changed in each patch, what should have, and
what is missing; and, as of a captioner, likelihood of the words of the question after the pictures, as far as the edit did
what they say.
"""

import argparse
import collections
import dataclasses
import json
import math
import os.path
import pathlib
import random
import re
import signal
import sys
import tempfile
import time

import numpy as np
import torch
from make_tiny import SPLIT, conversation, generation, preprocessor, special_ids, tokenizer
from tokenizers import AddedToken, Regex, Tokenizer, models, pre_tokenizers, trainers
from torch import Tensor, distributed, multiprocessing, nn
from torch.nn import functional
from transformers import (
    AutoTokenizer,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2VLImageProcessor,
)

LABELS = ["0", "1", "2", "3", "4", "5"]
PATCH = 4
MERGED = 2 * PATCH
HIDDEN = 192
HEAD = 64
SPREAD = 0.05
ROPE_THETA = 1000
# Few and fast axes for height, so that width has fast ones as well; the slow rest serves words at any distance.
ROPE_SECTIONS = [2, 2, 28]
FOLLOWED_AXES = slice(2, 12)

OFTEN = 0.02
ROWS = 8
WARMUP_STEPS = 60
FINAL_RATE_SHARE = 0.03
WEIGHT_DECAY = 0.02
REPORT_SECONDS = 20
EXPECTATION_WEIGHT = 10
AUXILIARY_WEIGHT = 5
SHARPNESS = 20
TIE = 0.02


@dataclasses.dataclass(frozen=True)
class Row:
    """Edits of one picture; places are those of pictures.rgb. tokens: the whole prompt, a place for each patch."""

    tokens: list[int]
    source: int
    reference: int | None
    target: int
    edited: list[int]
    truth: list[float]


@dataclasses.dataclass(frozen=True)
class Answers:
    """Of B edits.

    logits [B, vocabulary] of the next token; words [B], mean negative log-likelihood of the tokens after the pictures;
    changed [B, patches, values]; wanted [B, patches * 6].
    """

    logits: Tensor
    words: Tensor
    changed: Tensor
    wanted: Tensor


def make_tokenizer(out: pathlib.Path, questions: list[str], systems: list[str]) -> None:
    """Saves a BPE of the words of the questions; clauses of all questions and sentences of many are one token each.

    A system message is one token as well.
    """
    shared = os.path.commonprefix(questions)
    rest = os.path.commonprefix([question[::-1] for question in questions])[::-1]
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    texts = [*questions, *sorted(set(systems))]
    bpe.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=1500, initial_alphabet=alphabet))
    learnt = json.loads(bpe.to_str())["model"]
    tokenizer(out, learnt["vocab"], [tuple(merge) for merge in learnt["merges"]])
    made = AutoTokenizer.from_pretrained(out)
    clauses = re.findall(r"[^.,:\n]+[.,:\n]*", shared) + re.findall(r"\n*[^.,:\n]+[.,:]*", rest)
    own = [question[len(shared) : len(question) - len(rest)] for question in questions]
    sentences = collections.Counter(sentence for text in own for sentence in re.findall(r" ?[^.:\n]+[.:]", text))
    often = [sentence for sentence, count in sentences.items() if count > OFTEN * len(questions)]
    phrases = [phrase for phrase in [*sorted(set(systems)), *clauses, *often] if len(phrase) > 1]
    made.add_tokens([AddedToken(phrase, normalized=False) for phrase in phrases])
    made.save_pretrained(out)


def make_model(made: PreTrainedTokenizerFast, side: int) -> Qwen2_5_VLForConditionalGeneration:
    config = Qwen2_5_VLConfig(
        vocab_size=len(made),
        hidden_size=HIDDEN,
        intermediate_size=2 * HIDDEN,
        num_hidden_layers=4,
        num_attention_heads=HIDDEN // HEAD,
        num_key_value_heads=HIDDEN // HEAD,
        max_position_embeddings=4096,
        rope_theta=ROPE_THETA,
        rope_scaling={"type": "mrope", "mrope_section": ROPE_SECTIONS, "rope_type": "default"},
        tie_word_embeddings=False,
        initializer_range=SPREAD,
        **special_ids(made),
        vision_config={
            "depth": 2,
            "initializer_range": SPREAD,
            "hidden_size": 96,
            "intermediate_size": 192,
            "num_heads": 3,
            "out_hidden_size": HIDDEN,
            "patch_size": PATCH,
            "spatial_merge_size": MERGED // PATCH,
            "temporal_patch_size": 2,
            "window_size": side,
            "fullatt_block_indexes": [0, 1],
        },
    )
    network = Qwen2_5_VLForConditionalGeneration(config)
    follow(network, 2 + side // MERGED)
    return network


def follow(network: Qwen2_5_VLForConditionalGeneration, distance: int) -> None:
    """Lets a head of the first layer begin with a look at the same place of the picture before.

    Content has no part in it: the biases of query and key are one vector, turned against each other by the distance, in
    positions, between two pictures. Training may do with it what it likes.
    """
    attention = network.model.language_model.layers[0].self_attn
    frequency = ROPE_THETA ** -(torch.arange(HEAD // 2) / (HEAD // 2))
    strength = torch.zeros(HEAD // 2)
    strength[FOLLOWED_AXES] = 10
    with torch.no_grad():
        attention.k_proj.bias[:HEAD] = torch.cat([strength, torch.zeros(HEAD // 2)])
        turn = frequency * distance
        attention.q_proj.bias[:HEAD] = torch.cat([strength * turn.cos(), -strength * turn.sin()])


class Judge:
    """The model that is trained, with what surrounds it: pictures, prompts, auxiliary heads."""

    def __init__(
        self,
        directory: pathlib.Path,
        pictures: np.ndarray,
        network: Qwen2_5_VLForConditionalGeneration,
        bf16: bool,
    ):
        self.network = network
        self.bf16 = bf16
        self.pictures = pictures
        self.patches = (pictures.shape[1] // MERGED) ** 2
        self.changed = nn.Linear(HIDDEN, 3 * MERGED**2)
        self.wanted = nn.Linear(HIDDEN, 2 * 3 * self.patches)
        self.tokenizer = AutoTokenizer.from_pretrained(directory)
        self.processor = Qwen2VLImageProcessor.from_pretrained(directory)
        self.labels = torch.tensor(self.tokenizer.convert_tokens_to_ids(LABELS))

    def parameters(self) -> list[nn.Parameter]:
        return [*self.network.parameters(), *self.changed.parameters(), *self.wanted.parameters()]

    def matrices(self) -> list[nn.Parameter]:
        """What multiplies hidden states by hidden states."""
        outside = {id(self.network.get_input_embeddings().weight), id(self.network.lm_head.weight)}
        return [each for each in self.network.parameters() if each.ndim == 2 and id(each) not in outside]

    def row(self, line: dict) -> Row:
        prompt = self.tokenizer.apply_chat_template(
            conversation(line["system"], line["question"], 2 if line["reference"] is None else 3),
            tokenize=False,
            add_generation_prompt=True,
        )
        prompt = prompt.replace("<|image_pad|>", "<|image_pad|>" * self.patches)
        tokens = self.tokenizer(prompt, add_special_tokens=False)["input_ids"]
        places = {key: line[key] for key in ("source", "reference", "target", "edited", "truth")}
        return Row(tokens=tokens, **places)

    def look(self, rows: list[Row]) -> Answers:
        """Answers about all edits of the rows, in their order."""
        shown: list[int] = []
        seen: list[list[int]] = []
        tokens: list[Tensor] = []
        for row in rows:
            first = len(shown)
            others = [] if row.reference is None else [row.reference]
            shown += [row.source, *others, *row.edited]
            for edit in range(len(row.edited)):
                at = first + 1 + len(others) + edit
                seen.append([first, at, *([first + 1] if others else [])])
                tokens.append(torch.tensor(row.tokens))
        ids = nn.utils.rnn.pad_sequence(tokens, batch_first=True, padding_value=self.tokenizer.pad_token_id)
        ends = torch.tensor([len(each) - 1 for each in tokens])
        pixels = torch.from_numpy(self.pictures[shown]).permute(0, 3, 1, 2)
        sight = self.processor(images=list(pixels), return_tensors="pt")
        grid = sight["image_grid_thw"]
        views = self.network.model.visual(sight["pixel_values"], grid_thw=grid).pooler_output
        views = views.view(len(shown), self.patches, HIDDEN)

        places = ids == self.network.config.image_token_id
        order = torch.tensor([picture for pictures in seen for picture in pictures])
        embedded = self.network.model.language_model.embed_tokens(ids)
        embedded = embedded.masked_scatter(places.unsqueeze(2), views[order].to(embedded.dtype))
        positions, _ = self.network.model.get_rope_index(
            ids,
            places.int(),
            grid[order],
            attention_mask=(torch.arange(ids.shape[1]) <= ends.unsqueeze(1)).long(),
        )
        # What pads stands behind the end, where nothing looks at it.
        hidden = self.network.model.language_model(
            inputs_embeds=embedded, position_ids=positions, use_cache=False
        ).last_hidden_state
        end = hidden[torch.arange(len(ends)), ends]
        second = (places.cumsum(1) > self.patches) & (places.cumsum(1) <= 2 * self.patches) & places
        seen_all = places.cumsum(1) == places.sum(1, keepdim=True)
        written = seen_all & ~places & (torch.arange(ids.shape[1]) < ends.unsqueeze(1))
        following = ids.roll(-1, 1)[written]
        unlikely = functional.cross_entropy(self.network.lm_head(hidden[written]).float(), following, reduction="none")
        words = torch.zeros(ids.shape).masked_scatter(written, unlikely).sum(1) / written.sum(1)
        return Answers(
            logits=self.network.lm_head(end).float(),
            words=words,
            changed=self.changed(hidden[second].view(-1, self.patches, HIDDEN)).float(),
            wanted=self.wanted(end).float(),
        )

    def score(self, answers: Answers) -> Tensor:
        """Expectation over the labels, from 0 to 1."""
        return functional.softmax(answers.logits[:, self.labels], 1) @ torch.linspace(0, 1, len(LABELS))

    def losses(self, rows: list[Row]) -> tuple[Tensor, Tensor, Tensor]:
        """Sum to be made small, and of it likelihood and ranking."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            answers = self.look(rows)
        truth = torch.tensor([row.truth for row in rows])
        label = truth.flatten() * (len(LABELS) - 1)
        likely = (1 - (label.unsqueeze(1) - torch.arange(len(LABELS))).abs()).clamp(min=0)
        likelihood = -(likely * functional.log_softmax(answers.logits, 1)[:, self.labels]).sum(1).mean()

        score = self.score(answers)
        scores = score.view(truth.shape)
        apart = truth.unsqueeze(2) - truth.unsqueeze(1)
        told = (scores.unsqueeze(2) - scores.unsqueeze(1)) * apart.sign()
        counts = (apart.abs() > TIE).float()
        ranking = (functional.softplus(-SHARPNESS * told) * counts).sum() / counts.sum().clamp(min=1)

        edited = self.pixels([each for row in rows for each in row.edited])
        source = self.pixels([row.source for row in rows for _ in row.edited])
        target = self.pixels([row.target for row in rows for _ in row.edited])
        wanted = torch.stack([target - source, target - edited], 1).view(len(edited), -1, MERGED**2).mean(2)
        total = (
            likelihood
            + EXPECTATION_WEIGHT * functional.mse_loss(score, truth.flatten())
            + ranking
            + (answers.words * truth.flatten()).mean()
            + AUXILIARY_WEIGHT * functional.mse_loss(answers.changed, edited - source)
            + AUXILIARY_WEIGHT * functional.mse_loss(answers.wanted, wanted)
        )
        return total, likelihood.detach(), ranking.detach()

    def pixels(self, places: list[int]) -> Tensor:
        """[places, patches, 3 * MERGED * MERGED] in [-1, 1]."""
        pixels = torch.from_numpy(self.pictures[places]).permute(0, 3, 1, 2).float() / 127.5 - 1
        return functional.unfold(pixels, MERGED, stride=MERGED).transpose(1, 2)


def batches(rows: list[Row], workers: int, seed: int) -> list[list[Row]]:
    """All rows, in whole batches of about one length each, in any order; what is left over is left out."""
    chance = random.Random(seed)
    shuffled = chance.sample(rows, len(rows))
    shuffled.sort(key=lambda row: len(row.tokens))
    size = max(workers, ROWS // workers * workers)
    made = [shuffled[first : first + size] for first in range(0, len(rows) - size + 1, size)]
    chance.shuffle(made)
    return made


def rate(step: int, done: float) -> float:
    """Share of the peak: a linear rise, then a cosine. done: share of the training that is behind."""
    cosine = 0.5 * (1 + math.cos(math.pi * done))
    return min(1, (step + 1) / WARMUP_STEPS) * (FINAL_RATE_SHARE + (1 - FINAL_RATE_SHARE) * cosine)


def train(judge: Judge, rows: list[Row], arguments: argparse.Namespace) -> None:
    """One of several workers, each with its part of every batch; after a step all have the same weights."""
    parameters = judge.parameters()
    matrices = judge.matrices()
    known = {id(each) for each in matrices}
    others = [each for each in parameters if id(each) not in known]
    decaying = {"params": [each for each in others if each.ndim > 1], "weight_decay": WEIGHT_DECAY}
    vectors = {"params": [each for each in others if each.ndim == 1], "weight_decay": 0}
    optimizers = [
        torch.optim.Muon(matrices, lr=0, weight_decay=WEIGHT_DECAY, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW([decaying, vectors], lr=0),
    ]
    worker, workers = distributed.get_rank(), distributed.get_world_size()
    steps = batches(rows, workers, arguments.seed)
    began = reported = time.monotonic()
    examples = 0
    done = 0.0
    told: list[Tensor] = []
    for step, batch in enumerate(steps):
        for group in (group for optimizer in optimizers for group in optimizer.param_groups):
            group["lr"] = arguments.learning_rate * rate(step, done)
        total, *parts = judge.losses(batch[worker::workers])
        for optimizer in optimizers:
            optimizer.zero_grad()
        total.backward()
        done = max((step + 1) / len(steps), (time.monotonic() - began) / 60 / arguments.minutes)
        shared = torch.cat([*(each.grad.flatten() for each in parameters), torch.stack([*parts, torch.tensor(done)])])
        distributed.all_reduce(shared)
        shared /= workers
        at = 0
        for each in parameters:
            each.grad.copy_(shared[at : at + each.numel()].view_as(each))
            at += each.numel()
        done = shared[-1].item()
        nn.utils.clip_grad_norm_(parameters, 1)
        for optimizer in optimizers:
            optimizer.step()
        examples += sum(len(row.edited) for row in batch)
        if worker == 0:
            told.append(shared[-3:-1].clone())  # a view would keep the gradients of the step alive
            if time.monotonic() - reported > REPORT_SECONDS or done >= 1:
                likelihood, ranking = torch.stack(told).mean(0).tolist()
                tell({"examples": examples, "likelihood": likelihood, "ranking": ranking})
                told.clear()
                reported = time.monotonic()
        if done >= 1:
            return


def tell(line: dict) -> None:
    print(json.dumps(line), flush=True)


def read(path: pathlib.Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def work(worker: int, arguments: argparse.Namespace, meeting: str) -> None:
    """What each worker does; the first one reads, saves and measures."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=worker, world_size=arguments.workers)
    out = arguments.out
    lines = read(arguments.examples / "train.jsonl")
    side = lines[0]["side"]
    pictures = np.memmap(arguments.examples / "pictures.rgb", np.uint8, "r").reshape(-1, side, side, 3)
    network = make_model(AutoTokenizer.from_pretrained(out), side)
    judge = Judge(out, pictures, network, arguments.precision == "bf16")
    train(judge, [judge.row(line) for line in lines], arguments)
    if worker == 0:
        network.eval()
        network.save_pretrained(out)
        generation(out, judge.tokenizer)
        with torch.no_grad():
            held_out = [judge.row(line) for line in read(arguments.examples / "held-out.jsonl")]
            tell({"scores": [judge.score(judge.look([row])).tolist() for row in held_out]})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("examples", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--minutes", type=float, default=math.inf, help="no more of training than these")
    parser.add_argument("--workers", type=int, default=2, help="processes of one thread")
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32", help="of linear layers")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    lines = read(arguments.examples / "train.jsonl")
    make_tokenizer(arguments.out, [line["question"] for line in lines], [line["system"] for line in lines])
    preprocessor(arguments.out, PATCH, lines[0]["side"] ** 2, lines[0]["side"] ** 2)
    with tempfile.TemporaryDirectory() as meeting:
        multiprocessing.spawn(work, (arguments, f"{meeting}/workers"), nprocs=arguments.workers)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
