"""Rewards as TRL's trainers take them; laconic takes them as they are (docs/rewards.md)."""


def right(completions, answer, **kwargs):
    """1 for the right digit in the box at the end, 0 else."""
    return [1.0 if completion.rstrip().endswith(f"\\boxed{{ {gold} }}") else 0.0
            for completion, gold in zip(completions, answer)]


def brief(completion_ids, **kwargs):
    """From 0 for an empty completion down to -1 for one of 150 tokens or more."""
    return [-min(len(ids), 150) / 150 for ids in completion_ids]
