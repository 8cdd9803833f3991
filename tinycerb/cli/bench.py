"""`tinycerb bench`: accuracy, memory, latency and stealing of converted victims."""

import typer

from tinycerb.cli.options import AsJson, ExistingRun, Jobs, Quiet


def bench(path: ExistingRun, jobs: Jobs = 0, quiet: Quiet = False, as_json: AsJson = False) -> None:
    """Measure the converted victims of a run and attack them through the sealed oracle."""
    from tinycerb.cli.workflow import BENCH_KINDS, print_results, work
    from tinycerb.run_dir import RunDirectory

    directory = RunDirectory.open(path)
    with directory.locked():
        work(directory, BENCH_KINDS, jobs, quiet)
        print_results(directory, as_json)
    typer.secho(f"measured; next: tinycerb report {path}", err=True)
