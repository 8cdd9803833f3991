"""The strength of responses, fixed on the smoke run's validation images."""

import json

import pytest


def tune(cli, run, *arguments: object) -> dict:
    finished = cli("tune-defense", run.path, *arguments, "--json")
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def test_the_strongest_that_keeps_the_accuracy_is_chosen(smoke_run, cli) -> None:
    found = tune(cli, smoke_run, "ntm", "--loss", 2)
    tried, chosen = found["tried"], found["chosen"]
    assert chosen["points_lost"] <= 2
    assert all(each["points_lost"] > 2 for each in tried if each["strength"] > chosen["strength"])
    assert 0 < chosen["strength"] < 1
    assert tried[0]["l1_mean"] < chosen["l1_mean"] < tried[-1]["l1_mean"]
    assert chosen["response"].startswith("ntm,noise=0.")


def test_a_response_that_keeps_labels_may_be_as_strong_as_it_goes(smoke_run, cli) -> None:
    chosen = tune(cli, smoke_run, "dcp,tau=0.9", "--victim", "cerberos")["chosen"]
    assert chosen["points_lost"] == pytest.approx(0)
    assert chosen["strength"] == 2
    assert "tau=0.9" in chosen["response"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["top1"], "has no strength to tune"),
        (["ntm", "--loss", "-1"], "allowed: 0 to 100 points"),
        (["ntm", "--victim", "cerberus"], "its victims: undefended, cerberos"),
    ],
)
def test_what_cannot_be_tuned_is_named(smoke_run, cli, arguments: list[str], message: str) -> None:
    finished = cli("tune-defense", smoke_run.path, *arguments)
    assert finished.returncode == 2
    assert message in finished.stderr
