"""The kinds of tasks, by the field's words; a run of before, whose tasks were called otherwise, is as far as it was."""

from tinycerb.config import load_config
from tinycerb.jobs.plan import plan
from tinycerb.jobs.steps import STEPS, is_done
from tinycerb.matrix.work import VICTIM_KINDS
from tinycerb.workflow.work import ALL_KINDS, BENCH_KINDS, TRAIN_KINDS


def test_kinds_are_the_steps_in_order() -> None:
    assert tuple(STEPS) == ALL_KINDS
    assert TRAIN_KINDS == ("teacher", "pretrain", "search_ratio", "train", "candidate", "choose")
    assert set(TRAIN_KINDS) < set(VICTIM_KINDS) < set(ALL_KINDS)
    assert (*TRAIN_KINDS, "convert", *BENCH_KINDS) == ALL_KINDS


def test_every_task_is_called_by_its_kind() -> None:
    config = load_config(
        "demo", ["victims.pruned.flash_bytes=30000", "distillation.backbone=resnet8", "victims.misdirection.seeds=2"]
    )
    tasks = plan(config)
    assert {task.kind for task in tasks} == set(ALL_KINDS)
    assert all(task.key.partition("/")[0] == task.kind for task in tasks)


def test_files_of_a_run_are_where_they_were_before_its_tasks_had_these_names(smoke_run) -> None:
    """Tasks are done when their files are there: so an older run resumes."""
    assert smoke_run.dense("undefended") == smoke_run.path / "dense" / "undefended"
    assert [task.key for task in plan(smoke_run.config) if not is_done(smoke_run, task)] == []
