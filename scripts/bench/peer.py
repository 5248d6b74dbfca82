"""One workload of docs/benchmarks.md with transformers or TRL: prints tokens per second and peak memory as JSON lines.

usage: peer.py generate|train|step MODEL_CONFIG_DIR BATCH PROMPT NEW THREADS REPEATS
  generate  BATCH sequences of PROMPT + NEW tokens with transformers' generate
  train     forward, backward and fused AdamW on BATCH sequences of PROMPT tokens
  step      one GRPO step of TRL: BATCH prompts x NEW // 1000 completions of NEW % 1000 tokens
"""
import json
import resource
import sys
import time

import torch
from transformers import AutoConfig, AutoModelForCausalLM

KIND, FOLDER = sys.argv[1:3]
BATCH, PROMPT, NEW, THREADS, REPEATS = map(int, sys.argv[3:8])


def report(tokens, seconds):
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1048576
    print(json.dumps({"tokens_per_s": tokens / seconds, "seconds": seconds, "peak_gib": peak}), flush=True)


def generate(model):
    model.eval()
    ids = torch.randint(1, 2000, (BATCH, PROMPT))
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        with torch.no_grad():
            model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=NEW, min_new_tokens=NEW,
                           do_sample=True, temperature=1.0, top_k=0, top_p=1.0, pad_token_id=0, eos_token_id=None)
        report(BATCH * NEW, time.perf_counter() - start)


def train(model):
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    ids = torch.randint(1, 2000, (BATCH, PROMPT))
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        report(BATCH * PROMPT, time.perf_counter() - start)


def step(model):
    from datasets import Dataset
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, TrainerCallback
    from trl import GRPOConfig, GRPOTrainer
    group, new = NEW // 1000, NEW % 1000
    vocabulary = {f"w{i}": i for i in range(model.config.vocab_size)}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token="w1"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="w0", eos_token="w0", unk_token="w1")
    model.generation_config.eos_token_id = None
    random = torch.Generator().manual_seed(0)
    words = torch.randint(2, 2000, ((REPEATS + 1) * BATCH, PROMPT), generator=random).tolist()
    data = Dataset.from_dict({"prompt": [" ".join(f"w{i}" for i in row) for row in words]})

    class Clock(TrainerCallback):
        def on_step_begin(self, *_, **__):
            self.start = time.perf_counter()

        def on_step_end(self, *_, **__):
            report(BATCH * group * new, time.perf_counter() - self.start)

    settings = GRPOConfig(output_dir="/tmp/laconic-bench-trl", per_device_train_batch_size=BATCH * group,
                          num_generations=group, max_completion_length=new, max_steps=REPEATS + 1, learning_rate=1e-4,
                          use_cpu=True, bf16=False, fp16=False, gradient_checkpointing=False, report_to=[],
                          save_strategy="no", logging_steps=1000, disable_tqdm=True, beta=0.0,
                          generation_kwargs={"min_new_tokens": new})
    trainer = GRPOTrainer(model=model, args=settings, train_dataset=data, processing_class=tokenizer,
                          reward_funcs=lambda completion_ids, **_: [float(sum(ids) % 7) for ids in completion_ids],
                          callbacks=[Clock()])
    trainer.train()


def main():
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(FOLDER)).float()
    {"generate": generate, "train": train, "step": step}[KIND](model)


main()
