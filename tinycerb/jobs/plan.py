"""What a run consists of: tasks, and which must come before which. Imports neither TensorFlow nor a runtime."""

from tinycerb.bench.asked_heads import asked_heads
from tinycerb.bench.doses import dosed_victims
from tinycerb.config import Config
from tinycerb.jobs.candidates import development_attack
from tinycerb.jobs.check_names import check_names
from tinycerb.jobs.task import Task
from tinycerb.run.victim import victims_of
from tinycerb.training.stages import stages_of
from tinycerb.training.twin_victims import dense_twin, trained_twin


def plan(config: Config) -> list[Task]:
    """Returns all tasks of a run.

    Raises:
        UsageError: the configuration names something that does not exist.
    """
    check_names(config)
    victims = victims_of(config)
    tasks: list[Task] = []
    teacher: tuple[str, ...] = ()
    if config.distillation.backbone:
        teacher = ("teacher",)
        cost = 12.0 * config.distillation.width**2 * config.distillation.epochs
        tasks.append(Task("teacher", "teacher", (), (), cost))
    for name, victim in victims.items():
        networks = max(len(victim.defense.architecture.backbones), 1)
        trained = f"train/{name}"
        dense = dense_twin(config, victims, name)
        epoch = networks * (17.0 if victim.heads.in_file > 1 else 12.0)
        chosen = victim.config.seeds > 1
        if dense == name and not chosen:
            tasks.append(Task(f"pretrain/{name}", "pretrain", (name,), teacher, epoch * config.training.dense_epochs))
        stages = stages_of(config.training, config.quantization.method)
        twin = trained_twin(victims, name)
        if chosen:
            development_attack(config)
            trained = f"choose/{name}"
            cost = epoch * stages_of(config.training, config.quantization.method)["prune"].epochs_in_all + 60
            tasks += [
                Task(f"candidate/{name}/{index + 1}", "candidate", (name, str(index)), (), cost)
                for index in range(victim.config.seeds)
            ]
            tasks.append(Task(trained, "choose", (name,), tuple(task.key for task in tasks[-victim.config.seeds :]), 1))
        elif twin == name:
            later = stages["prune"].epochs_in_all - stages["dense"].epochs
            cost = epoch * later * (1.0 - 0.6 * victim.config.channel_ratio)
            before = [f"pretrain/{dense}"]
            if victim.config.has_budget:
                tasks.append(Task(f"search_ratio/{name}", "search_ratio", (name,), (), 60))
                before.append(f"search_ratio/{name}")
            tasks.append(Task(f"train/{name}", "train", (name, dense, name), tuple(before), cost))
        else:
            tasks.append(Task(f"train/{name}", "train", (name, dense, twin), (f"train/{twin}",), 1))
        tasks.append(Task(f"convert/{name}", "convert", (name,), (trained,), 15))
        tasks.append(Task(f"measure/{name}", "measure", (name,), (f"convert/{name}",), 10))
        for attack in config.attacks:
            for selection in asked_heads(victim):
                arguments = (name, attack.name, selection)
                key = "/".join(("steal", *arguments))
                cost = 10.0 + len(attack.students) * len(attack.learning_rates) * (
                    8.0 + 2.0 * attack.epochs * attack.members
                )
                tasks.append(Task(key, "steal", arguments, (f"measure/{name}",), cost))
    for name in dosed_victims(config):
        cost = 10.0 + 8.0 * len(config.bench.doses)
        tasks.append(Task(f"dose/{name}", "dose", (name,), (f"measure/{name}",), cost))
    converted = tuple(f"convert/{name}" for name in victims)
    tasks.append(Task("latency", "latency", (), converted, 5, alone=True))
    return tasks
