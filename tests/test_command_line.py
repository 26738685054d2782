"""The command line as a user meets it: what it prints, what it writes, and one sentence for what goes wrong."""

import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import jalon
from engine.errors import JalonError
from tests.api.conftest import World, settings, world

__all__ = ["settings", "world"]

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Run ``jalon`` in a folder of its own: exit status, what it printed, what it said on standard error."""

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["jalon", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            jalon.main()
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return run


def test_the_shipped_bank_is_fit_to_be_served(command: Command) -> None:
    status, out, _ = command("bank", "check")
    assert status == 0
    assert out.splitlines()[-1] == "384 items, 0 errors, 0 warnings."


def test_a_bank_with_an_error_is_told_with_status_one(command: Command, tmp_path: Path) -> None:
    command("bank", "export", "bank")
    (tmp_path / "bank" / "items" / "1.1.yaml").unlink()
    status, out, _ = command("bank", "check", "--bank", "bank")
    assert status == 1
    assert "error: 1.1 (fr): The competence has no item to serve; write some." in out


def test_parameters_go_out_and_come_back(command: Command, tmp_path: Path) -> None:
    assert command("bank", "export", "bank")[0] == 0
    before = (tmp_path / "bank" / "parameters.csv").read_bytes()
    assert command("bank", "export", "table.csv")[0] == 0
    assert (tmp_path / "table.csv").read_bytes() == before
    assert command("bank", "import", "table.csv", "--bank", "bank")[0] == 0
    assert command("bank", "provisional", "--bank", "bank")[0] == 0
    assert (tmp_path / "bank" / "parameters.csv").read_bytes() == before
    status, _, err = command("bank", "import", "table.csv", "--bank", "bank", "--scale", "1.5")
    assert status == 2
    assert "D is 1, 1.7 or 1.702" in err


def test_a_bank_is_shown_competence_by_competence(command: Command) -> None:
    status, out, _ = command("bank", "show")
    assert status == 0
    assert all(f" {code} " in out for code in ("1.1", "3.4", "5.2"))


@pytest.mark.parametrize("method", ["eap", "map", "ml", "wle"])
def test_abilities_are_estimated_from_files(command: Command, tmp_path: Path, method: str) -> None:
    (tmp_path / "items.csv").write_text("id,model,difficulty\na,1PL,-1\nb,1PL,0\nc,1PL,1\n")
    (tmp_path / "responses.csv").write_text("learner,a,b,c\nana,1,1,0\nbob,1,S,\n")
    status, _, _ = command("estimate", "items.csv", "responses.csv", "--method", method, "--out", "scores.csv")
    assert status == 0
    header, *lines = (tmp_path / "scores.csv").read_text().splitlines()
    assert header == "learner,ability,se"
    scores = {name: (float(ability), float(se)) for name, ability, se in (line.split(",") for line in lines)}
    assert scores["ana"][0] > scores["bob"][0]
    assert all(se > 0 for _, se in scores.values())


@pytest.mark.parametrize("which", [("cat", "--competence", "1.1"), ("positioning", "--competence", "1.1")])
def test_a_simulation_leaves_four_files(command: Command, tmp_path: Path, which: tuple[str, ...]) -> None:
    status, out, _ = command("simulate", *which, "--learners", 40, "--seed", 3, "--out", "study", "--skipping", 0.5)
    assert status == 0
    assert "rmse" in out
    assert {path.name for path in (tmp_path / "study").iterdir()} == {
        "summary.json",
        "learners.csv",
        "items.csv",
        "report.html",
    }
    assert json.loads((tmp_path / "study" / "summary.json").read_text())["seed"] == 3


def test_a_client_is_told_its_secret_once(command: Command) -> None:
    status, out, _ = command("client", "add", "ENT", "--scope", "runs:read", "--scope", "runs:write", "--json")
    assert status == 0
    assert set(json.loads(out)) == {"client_id", "client_secret"}
    assert "note it now" in command("client", "add", "ENT", "--scope", "runs:read")[1]


def test_a_stored_run_is_proved(command: Command, world: World) -> None:
    run = world.open(length=4)
    database = ("--database", world.settings.database)
    assert command("replay", run["id"], *database)[1] == (
        f"Run {run['id']} replays: 1 decisions so far; the run is not finished.\n"
    )
    world.finish(run)
    assert command("replay", run["id"], *database)[:2] == (
        0,
        f"Run {run['id']} replays: 5 decisions and the result.\n",
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("replay", "nonsense"), "There is no database jalon.db"),
        (("client", "add", "ENT", "--scope", "luck"), "The scope 'luck' does not exist"),
        (("bank", "check", "--bank", "nowhere"), "There is no framework.yaml in nowhere"),
        (("bank", "export", "nowhere/table.csv"), "There is no folder nowhere"),
        (("simulate", "cat", "--items", "nowhere.csv", "--out", "study"), "nowhere.csv cannot be read"),
        (("simulate", "positioning", "--competence", "9.9", "--out", "study"), "There is no competence '9.9'"),
        (("serve", "--database", "oracle://x"), "The setting database cannot be used: The database 'oracle'"),
        (("serve", "--bank", "nowhere"), "There is no framework.yaml in nowhere"),
    ],
)
def test_what_goes_wrong_is_one_sentence(command: Command, words: tuple[str, ...], sentence: str) -> None:
    status, out, err = command(*words)
    assert (status, out) == (2, "")
    assert err.startswith(f"jalon: {sentence}")
    assert err.count("\n") == 1


def test_a_port_that_is_taken_is_told(tmp_path: Path, command: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, _, err = command("serve", "--port", taken.getsockname()[1])
    assert status == 2
    assert "choose another with --port" in err


@pytest.fixture(params=[1, 2], ids=["one process", "two processes"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Serve from an empty folder; yield the first line that is printed, and the second."""
    with serving(tmp_path, "--workers", str(request.param)) as lines:
        yield lines


@contextmanager
def serving(folder: Path, *options: str, **environment: str) -> Iterator[tuple[str, str]]:
    """Serve from a folder; yield the first line that is printed, and the second."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [sys.executable, jalon.__file__, "serve", "--port", str(port), *options]
    known = {name: value for name, value in os.environ.items() if name != "JALON_PUBLIC_URL"}
    with subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, text=True, env=known | environment) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline(), server.stdout.readline()
        finally:
            server.terminate()
            server.wait()


def test_the_first_line_says_where_to_click(served: tuple[str, str], tmp_path: Path) -> None:
    first, second = served
    address = first.partition("open ")[2].split()[0]
    assert address.startswith("http://127.0.0.1:")
    with urllib.request.urlopen(address) as page:
        assert "Commencer" in page.read().decode()
    assert (tmp_path / "jalon.db").exists()
    secret = second.split()[-1]
    form = f"grant_type=client_credentials&client_id=local&client_secret={secret}".encode()
    with urllib.request.urlopen(f"{address}/oauth/token", form) as told:
        assert json.load(told)["access_token"]


def test_an_address_for_others_is_asked_for_where_the_server_is_reached_from_elsewhere(tmp_path: Path) -> None:
    with serving(tmp_path, "--host", "0.0.0.0") as (first, second):
        assert "JALON_PUBLIC_URL" in second
        assert first.partition("open ")[2].split()[0] in second
    with serving(tmp_path, JALON_HTTPS="true") as (_, second):  # behind a proxy
        assert "JALON_PUBLIC_URL" in second


def test_bugs_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def bug() -> None:
        raise KeyError("a bug, on purpose")

    monkeypatch.setattr(jalon, "app", bug)
    with pytest.raises(KeyError):
        jalon.main()
    assert not issubclass(KeyError, JalonError)


@pytest.mark.parametrize(
    "words",
    [
        ("serve", "--port", "8931", "--database", "sqlite:////nonexistent/x.db"),
        ("client", "add", "x", "--scope", "runs:read", "--database", "sqlite:////nonexistent/x.db"),
        ("replay", "nope", "--database", "sqlite:///absent.db"),
        ("replay", "nope", "--database", "sqlite:///text.db"),
        ("client", "add", "x", "--scope", "runs:read", "--database", "sqlite:///text.db"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_sentence(command: Command, tmp_path: Path, words: tuple[str]) -> None:
    (tmp_path / "text.db").write_text("This is no database. " * 100)
    status, _, err = command(*words)
    assert status == 2
    assert err.startswith("jalon: ")
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "absent.db").exists()
