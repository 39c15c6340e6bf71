import trio

from autoscaler.shell.clock import boot_clock, boot_id, read_clocks


async def test_all_clocks_are_read_at_once(autojump_clock):
    await trio.sleep(40)

    first = read_clocks()
    await trio.sleep(2)
    second = read_clocks()

    assert second.now - first.now == 2
    assert first.boot_id == second.boot_id == boot_id()
    assert 0 < first.boot <= second.boot
    assert first.wall > 1_700_000_000


def test_a_boot_id_is_read_without_its_line_end(tmp_path):
    file = tmp_path / "boot_id"
    file.write_text("5d0a9c0e-0f3c\n")

    assert boot_id(file) == "5d0a9c0e-0f3c"


def test_without_a_boot_id_all_instants_of_this_process_share_one(tmp_path):
    missing = boot_id(tmp_path / "missing")

    assert missing == boot_id(tmp_path / "missing")
    assert missing.startswith("unknown-")


def test_an_unreadable_boot_id_is_no_boot_id(tmp_path):
    file = tmp_path / "boot_id"
    file.write_bytes(b"\xff\xfe")

    assert boot_id(file).startswith("unknown-")


def test_without_a_boot_clock_the_monotonic_one_stands_in(monkeypatch):
    monkeypatch.delattr("time.CLOCK_BOOTTIME")

    assert boot_clock() > 0
