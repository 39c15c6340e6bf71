import json

from autoscaler.cli.output import (
    MOST_WIDE,
    complain,
    plain_table,
    print_json,
    print_prose,
    print_table,
)


def test_a_table_is_aligned_and_ends_without_spaces(capsys):
    print_table("Hosts", ("host", "state"), [("west", "up"), ("far-east", "down")])

    assert capsys.readouterr().out == (
        "Hosts:\nHOST      STATE\nwest      up\nfar-east  down\n\n"
    )


def test_a_table_without_rows_is_not_printed(capsys):
    print_table("Hosts", ("host", "state"), [])

    assert capsys.readouterr().out == ""


def test_lines_are_of_bounded_width(capsys):
    sentence = "word " * 90

    print_table("T", ("a", "b", "why"), [("x" * 300, "y", sentence)])

    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= MOST_WIDE
    assert " ".join(lines).count("word") == 90


def test_a_last_column_keeps_some_room():
    text = plain_table(("a", "b", "c"), [("x" * 70, "y" * 70, "word " * 20)])

    assert max(len(line) for line in text.splitlines()) <= 70 + 70 + 4 + 40


def test_what_hosts_say_is_escaped(capsys):
    print_table("T", ("name",), [("\x1b[31mred\nline",)])
    complain("refused: \x1b[31m\nsecond")

    out, err = capsys.readouterr()
    assert "\\x1b[31mred\\nline" in out
    assert err == "refused: \\x1b[31m\nsecond\n"


def test_json_is_ascii(capsys):
    print_json({"name": "ä"})

    out = capsys.readouterr().out
    assert out.isascii()
    assert json.loads(out) == {"name": "ä"}


def test_on_a_terminal_tables_have_rules_and_no_markup(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")

    print_table("Hosts", ("host", "why"), [("[red]west[/red]", "\x1b[31mup")])

    out = capsys.readouterr().out
    assert "[red]west[/red]" in out
    assert "─" in out
    assert "\\x1b[31mup" in out
    assert max(map(len, out.splitlines())) <= MOST_WIDE


def test_a_terminal_without_unicode_has_rules_in_ascii(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("LC_ALL", "C")

    print_table("Hosts", ("host", "why"), [("west", "it is up")])

    out = capsys.readouterr().out
    assert "-----" in out
    assert out.isascii()


def test_names_are_not_broken_at_their_hyphens(capsys):
    print_table("T", ("a", "why"), [("x", "user:web-clone-1, " * 20)])

    assert capsys.readouterr().out.count("user:web-clone-1,") == 20


def test_on_a_terminal_no_word_is_broken_at_its_edge(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "20")

    print_prose(["the mean of user:web-clone-1 is above", "", "90 %"])

    assert capsys.readouterr().out == (
        "the mean of\nuser:web-clone-1 is\nabove\n\n90 %\n"
    )


def test_in_a_pipe_a_sentence_is_one_line(capsys):
    print_prose(["word " * 100, ""])

    assert capsys.readouterr().out == f"{'word ' * 100}\n\n"
