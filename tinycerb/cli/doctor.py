"""`tinycerb doctor`: is everything here?"""

import json
from dataclasses import asdict

import typer

from tinycerb.cli.options import AsJson
from tinycerb.errors import ExitCode

_COLOURS = {"OK": "green", "WARN": "yellow", "FAIL": "red"}


def doctor(as_json: AsJson = False) -> None:
    """Tell what is missing, one line each, with the command that mends it. Exit 3 if something vital is."""
    from tinycerb.doctor.checks import CHECKS, FAIL, run_check

    findings = []
    for check in CHECKS:
        finding = run_check(check)
        findings.append(finding)
        if not as_json:
            typer.secho(f"{finding.status:4}", fg=_COLOURS[finding.status], bold=True, nl=False)
            typer.echo(f"  {finding.name}: {finding.detail}")
            if finding.remedy:
                typer.echo(f"      {finding.remedy}")
    if as_json:
        typer.echo(json.dumps({"schema_version": 1, "findings": [asdict(finding) for finding in findings]}))
    if any(finding.status == FAIL for finding in findings):
        raise typer.Exit(ExitCode.ENVIRONMENT)
