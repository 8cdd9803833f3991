"""What a run consists of."""

from graphlib import TopologicalSorter

from tinycerb.config import load_config
from tinycerb.jobs.plan import plan
from tinycerb.jobs.scheduler import _urgency
from tinycerb.matrix.work import VICTIM_KINDS
from tinycerb.workflow.work import TRAIN_KINDS


def test_demo_plan_is_complete_and_acyclic() -> None:
    tasks = {task.key: task for task in plan(load_config("demo"))}
    order = list(TopologicalSorter({key: task.after for key, task in tasks.items()}).static_order())
    assert set(order) == set(tasks)
    for victim in ("undefended", "pruned", "cerberos", "misdirection"):
        assert order.index(f"train/{victim}") < order.index(f"convert/{victim}") < order.index(f"measure/{victim}")


def test_several_heads_get_a_mean_head_row_and_one_head_does_not() -> None:
    keys = {task.key for task in plan(load_config("demo"))}
    for attack in load_config("demo").attacks:
        assert f"steal/cerberos/{attack.name}/mean" in keys
        assert f"steal/cerberos/{attack.name}/random" in keys
        for one_headed in ("undefended", "misdirection"):
            assert f"steal/{one_headed}/{attack.name}/fixed" in keys
            assert f"steal/{one_headed}/{attack.name}/mean" not in keys


def test_the_longest_chain_starts_first() -> None:
    tasks = plan(load_config("demo"))
    urgency = _urgency(tasks)
    for task in tasks:
        assert all(urgency[before] > urgency[task.key] for before in task.after)


def test_a_teacher_comes_before_all_that_learn_from_it() -> None:
    assert all(task.kind != "teacher" for task in plan(load_config("demo")))
    tasks = {task.key: task for task in plan(load_config("demo", ["distillation.backbone=resnet8"]))}
    assert {task.after for task in tasks.values() if task.kind == "pretrain"} == {("teacher",)}
    assert tasks["teacher"].after == ()
    assert "teacher" in TRAIN_KINDS
    assert "teacher" in VICTIM_KINDS
