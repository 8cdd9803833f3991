"""What commands print is text."""

from rich.table import Table

from tinycerb.cli.console import plain_console


def test_brackets_and_colons_in_names_are_no_markup(capsys) -> None:
    table = Table(title="[red]t[/]")
    table.add_column("[b]c[/b]")
    table.add_row("block[/x] :smile:")
    plain_console().print(table)
    told = capsys.readouterr().out
    for text in ("[red]t[/]", "[b]c[/b]", "block[/x] :smile:"):
        assert text in told
