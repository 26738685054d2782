import typer
from typer.testing import CliRunner

from simulations.studies import __main__ as command
from simulations.studies import benevolence, skip_policies, tree_gain


def test_the_tree_gains():
    rows = tree_gain.main(learners=60, seed=2)
    assert len(rows) == 10
    assert all(row.figures["change"] < -0.12 for row in rows if row.name.startswith("tree"))


def test_benevolence_buys_success():
    rows = {row.name: row.figures for row in benevolence.main(learners=40, seed=2)[:4]}
    assert rows["fair chance"]["success"] > rows["no benevolence"]["success"] + 0.05
    assert rows["easier after a skip"]["easier after skip"] > rows["no benevolence"]["easier after skip"] + 0.1


def test_ignoring_skips_that_mean_something_is_wrong():
    rows = {(row.group, row.name): row.figures for row in skip_policies.main(learners=40, seed=2)}
    bank = next(iter(rows))[0].split(":")[0]
    knowing, random = f"{bank}: all that is not known", f"{bank}: a fifth, at random"
    assert rows[knowing, "ignored"]["rmse"] > 1.5 * rows[knowing, "unknown"]["rmse"]
    assert rows[random, "ignored"]["rmse"] < rows[random, "unknown"]["rmse"]


def test_studies_by_name():
    app = typer.Typer()
    app.command()(command.study)
    told = CliRunner().invoke(app, ["tree_gain", "--learners", "10"])
    assert told.exit_code == 0
    assert "tree, 32 items" in told.output
    assert CliRunner().invoke(app, ["luck"]).exit_code == 2
