"""Recipes are read with words for what is wrong; an image gets the user's own first, then pedigree's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pedigree.localaws.images.catalog import NOT_HERE, PYTORCH, ImageCatalog, own_recipes
from pedigree.localaws.images.errors import ImageError, RecipeError
from pedigree.localaws.images.recipe import parse, spellings
from pedigree.localaws.services.sagemaker.resources.images import PROGRAMS_FOLDER
from tests.support.folders import write_files

AWS = "683313688378.dkr.ecr.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("image", "recipe"),
    [
        (f"{AWS}/sagemaker-scikit-learn:1.4-2-cpu-py3", "scikit-learn 1.4"),
        (f"{AWS}/sagemaker-scikit-learn:1.2-1-cpu-py3", "scikit-learn 1.2"),
        (f"{AWS}/sagemaker-scikit-learn:0.23-1-cpu-py3", "scikit-learn 1.1"),
        (f"{AWS}/sagemaker-scikit-learn:1.0-1-cpu-py3", "scikit-learn 1.1"),
        (f"{AWS}/sagemaker-xgboost:1.7-1", "xgboost 2.1"),
        (f"{AWS}/sagemaker-xgboost:3.0-5", "xgboost 3.0"),
        ("433757028032.dkr.ecr.us-west-2.amazonaws.com/xgboost:1", "xgboost 2.1"),
        ("382416733822.dkr.ecr.us-east-1.amazonaws.com/kmeans:1", "K-Means"),
        ("382416733822.dkr.ecr.us-east-1.amazonaws.com/pca:1", "PCA"),
        ("382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1", "Linear Learner"),
        ("382416733822.dkr.ecr.us-east-1.amazonaws.com/knn:1", "k-NN"),
        ("382416733822.dkr.ecr.us-east-1.amazonaws.com/randomcutforest:1", "Random Cut Forest"),
        ("763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-training:2.1-gpu-py310", PYTORCH),
        ("763104351884.dkr.ecr.eu-west-1.amazonaws.com/huggingface-pytorch-training:2.1-x", "hugging face"),
        ("885854791233.dkr.ecr.us-east-1.amazonaws.com/sagemaker-distribution-prod:2.0.0-cpu", "notebooks"),
        ("public.ecr.aws/sagemaker/sagemaker-distribution:3.0-cpu", "notebooks"),
        ("763104351884.dkr.ecr.us-east-1.amazonaws.com/tensorflow-training:2.4.1-cpu-py37", "tensorflow 2.15"),
        ("763104351884.dkr.ecr.us-east-1.amazonaws.com/tensorflow-training:2.19.0-cpu-py312", "tensorflow"),
        ("763104351884.dkr.ecr.us-east-1.amazonaws.com/tensorflow-inference:2.19.0-cpu", "tensorflow"),
        ("763104351884.dkr.ecr.us-east-1.amazonaws.com/tensorflow-inference:2.8-gpu", "tensorflow 2.15"),
        ("763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch:2.13-cpu-amzn2023-sagemaker", PYTORCH),
        ("173754725891.dkr.ecr.us-east-1.amazonaws.com/sagemaker-spark-processing:3.3-cpu-py39-v1.1", "spark"),
        ("python:3.11-slim", "python"),
        ("docker.io/library/python:3.12", "python"),
    ],
)
def test_aws_s_images_have_a_recipe(image: str, recipe: str) -> None:
    assert ImageCatalog().find(image).recipe.name == recipe


def test_every_program_of_a_recipe_is_there() -> None:
    named = {
        name
        for recipe in own_recipes()
        for name in (recipe.script, recipe.algorithm, recipe.serve, *recipe.commands.values())
        if name
    }
    assert {name for name in named if not (PROGRAMS_FOLDER / f"{name}.py").is_file()} == set()


def test_versions_are_exact() -> None:
    assert [package for recipe in own_recipes() for package in recipe.packages if "==" not in package] == []


@pytest.mark.parametrize("repository", sorted(NOT_HERE))
def test_what_is_not_here_is_refused_by_its_name(repository: str) -> None:
    with pytest.raises(ImageError, match=NOT_HERE[repository]) as raised:
        ImageCatalog().find(f"{AWS}/{repository}:1")
    assert "leave the step out" in raised.value.remedy


def test_an_image_of_which_nothing_is_known_is_refused_with_the_lines_to_add() -> None:
    with pytest.raises(ImageError, match="pulls no images") as raised:
        ImageCatalog().find("123456789012.dkr.ecr.us-east-1.amazonaws.com/team/trainer:7")
    assert 'name = "trainer"' in raised.value.remedy
    assert 'images = ["123456789012.dkr.ecr.us-east-1.amazonaws.com/team/trainer:7"]' in raised.value.remedy


def test_the_users_own_recipes_come_first_and_are_read_when_they_change(tmp_path: Path) -> None:
    file = tmp_path / "images.toml"
    catalog = ImageCatalog(file)
    assert catalog.find("python:3.11").file == "pedigree"
    file.write_text('[[recipe]]\nname = "mine"\nimages = ["python:3.11"]\npackages = ["six"]\n', encoding="utf-8")
    found = catalog.find("python:3.11")
    assert (found.recipe.name, found.pattern, found.file) == ("mine", "python:3.11", str(file))
    assert catalog.find("python:3.12").recipe.name == "python"
    file.unlink()
    assert catalog.find("python:3.11").file == "pedigree"


def test_an_environment_that_is_there_stands_for_pytorch_with_its_own_toolkit(tmp_path: Path) -> None:
    recipe = ImageCatalog(pytorch=tmp_path).find(f"{AWS}/pytorch-training:2.1").recipe
    assert (recipe.environment, recipe.script) == (tmp_path, "script_mode")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "train").write_text("", encoding="utf-8")
    assert ImageCatalog(pytorch=tmp_path).find(f"{AWS}/pytorch-training:2.1").recipe.script == "bin/train"


@pytest.mark.parametrize(("image", "python"), [("python:3.12-slim", "3.12"), ("python:3", ""), ("python:3.9", "3.9")])
def test_the_python_may_be_that_of_the_image_s_tag(image: str, python: str) -> None:
    assert ImageCatalog().find(image).recipe.python == python


def test_old_tensorflow_has_the_keras_that_saves_a_folder_in_the_environment_of_the_newer_one() -> None:
    old, new = (ImageCatalog().find(f"tensorflow-training:{tag}").recipe for tag in ("2.4.1-cpu-py37", "2.16.2-cpu"))
    assert (old.packages, old.variables) == (new.packages, {"TF_USE_LEGACY_KERAS": "1"})


def test_a_recipe_may_add_to_another_one(tmp_path: Path) -> None:
    text = '[[recipe]]\nname = "mine"\nimages = ["mine:*"]\nlike = "xgboost 3.0"\npackages = ["shap"]\n'
    [mine] = parse(text, "images.toml", own_recipes(), tmp_path)
    assert mine.packages[-1] == "shap"
    assert len(mine.packages) > 20
    assert (mine.script, mine.images) == ("script_mode", ("mine:*",))


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    [mine] = parse('[[recipe]]\nname = "m"\nimages = ["m"]\nenvironment = "venv"\n', "images.toml", (), tmp_path)
    assert mine.environment == tmp_path / "venv"


def with_dockerfile(folder: Path, text: str, *lines: str) -> ImageCatalog:
    """The recipes of a folder with a Dockerfile for the images mine:*, and more lines for its recipe."""
    recipe = ("[[recipe]]", 'name = "mine"', 'images = ["mine:*"]', 'folder = "docker"', *lines)
    write_files(
        folder, {"images.toml": "\n".join(recipe), "docker/Dockerfile": text, "docker/train": "", "docker/a.py": ""}
    )
    return ImageCatalog(folder / "images.toml", pytorch=folder / "torch")


def test_a_dockerfile_adds_to_the_recipe_of_its_first_image(tmp_path: Path) -> None:
    lines = f"FROM {AWS}/sagemaker-scikit-learn:1.2-1-cpu-py3\nRUN pip install shap pandas numpy==1.25.2\nENV A=1"
    recipe = with_dockerfile(tmp_path, lines, 'packages = ["shap==0.46"]').find("mine:1").recipe
    base = ImageCatalog().find("sagemaker-scikit-learn:1.2-1").recipe
    assert (recipe.name, recipe.script, recipe.serve) == ("mine", base.script, base.serve)
    assert set(recipe.packages) - set(base.packages) == {"shap==0.46", "numpy==1.25.2"}
    assert dict(recipe.variables) == {"A": "1"}
    assert "is followed from" in recipe.differences[0]


def test_a_changed_dockerfile_is_another_recipe_at_once(tmp_path: Path) -> None:
    catalog = with_dockerfile(tmp_path, "FROM python:3.9\nCOPY train a.py /opt/program/")
    recipe = catalog.find("mine:1").recipe
    assert (recipe.python, recipe.train, len(recipe.files)) == ("3.9", ("train",), 2)
    write_files(tmp_path, {"docker/Dockerfile": "FROM python:3.10\nRUN pip install six"})
    recipe = catalog.find("mine:1").recipe
    assert (recipe.python, recipe.packages, recipe.files) == ("3.10", ("six",), ())


def test_aws_s_toolkit_is_not_installed_since_script_mode_stands_for_it(tmp_path: Path) -> None:
    recipe = (
        with_dockerfile(tmp_path, "FROM ubuntu:22.04\nRUN pip install sagemaker-training six").find("mine:1").recipe
    )
    assert (recipe.packages, recipe.script) == (("six",), "script_mode")
    assert any("AWS's toolkit" in difference for difference in recipe.differences)


def test_the_environment_for_pytorch_is_used_as_long_as_nothing_is_added(tmp_path: Path) -> None:
    first = f"FROM {AWS}/pytorch-training:2.1-cpu-py310"
    assert with_dockerfile(tmp_path, first).find("mine:1").recipe.environment == tmp_path / "torch"
    more = with_dockerfile(tmp_path, f"{first}\nRUN pip install six==1.16.0 shap").find("mine:1").recipe
    assert more.environment is None
    assert {"six==1.16.0", "shap"} < set(more.packages)
    assert any(package.startswith("torch==") for package in more.packages)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("FROM unheard/of:1", "nothing says what stands for the image unheard/of:1"),
        ("FROM mine:2", "nothing says what stands for the image mine:2"),
        ("FROM python\nRUN make", r"line 2 \(RUN make\): make is not followed"),
    ],
)
def test_a_dockerfile_that_cannot_be_followed_is_named(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises((ImageError, RecipeError), match=problem) as raised:
        with_dockerfile(tmp_path, text).find("mine:1")
    assert str(raised.value).startswith(f"{tmp_path / 'docker' / 'Dockerfile'}: ")


def test_an_image_for_all_may_begin_with_one_that_pedigree_knows(tmp_path: Path) -> None:
    catalog = with_dockerfile(tmp_path, "FROM python:3.11")
    file = tmp_path / "images.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("mine:*", "*"), encoding="utf-8")
    assert catalog.find("python:3.11").recipe.name == "mine"


def test_an_environment_that_is_there_gets_no_packages_by_another_recipe(tmp_path: Path) -> None:
    there = '[[recipe]]\nname = "there"\nimages = ["there:*"]\nenvironment = "v"\n'
    like = '[[recipe]]\nname = "more"\nimages = ["more:*"]\nlike = "there"\npackages = ["six"]'
    with pytest.raises(RecipeError, match="gets no packages"):
        parse(f"{there}{like}", "images.toml", (), tmp_path)
    catalog = with_dockerfile(tmp_path, "FROM there:1\nRUN pip install six", there)
    with pytest.raises(RecipeError, match="gets no packages"):
        catalog.find("mine:1")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[recipe", "no TOML file"),
        ("a = 1", "a is not known"),
        ("recipe = 1", "no list of tables"),
        ('[[recipe]]\nname = "x"', "has no images"),
        ('[[recipe]]\nimages = ["x"]', "has no name"),
        ('[[recipe]]\nname = "x"\nimages = "x"', "images is no list of texts"),
        ('[[recipe]]\nname = "x"\nimages = ["x"]\npython = 3.1', "python is no text"),
        ('[[recipe]]\nname = "x"\nimages = ["x"]\npakages = []', "pakages is not known"),
        ('[[recipe]]\nname = "x"\nimages = ["x"]\nlike = "y"', "there is no recipe y"),
        ('[[recipe]]\nname = "x"\nimages = ["x"]\nvariables = 1', "variables is no table of texts"),
        ('[[recipe]]\nname = "x"\nimages = ["x"]\ncommands = { a = 1 }', "commands is no table of texts"),
        ('[[recipe]]\nname = "x"\nimages = ["x"]\nenvironment = "v"\npackages = ["six"]', "gets no packages"),
        ('[[recipe]]\nname = "x"\nimages = ["x"]\ndockerfile = "d"\nlike = "y"', "its Dockerfile says what like says"),
        ('[[recipe]]\nname = "x"\nimages = ["x"]\nskip = ["RUN *"]', "skip is for a Dockerfile, and it has none"),
        ('[[recipe]]\nname = "x"\nimages = ["x"]\nfolder = "."\narguments = 1', "arguments is no table of texts"),
    ],
)
def test_a_mistake_in_a_file_of_recipes_is_one_line_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(RecipeError, match=problem) as raised:
        parse(text, "images.toml")
    assert str(raised.value).startswith("images.toml")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("image", "short"),
    [
        (f"{AWS}/a/b:1", "a/b:1"),
        ("localhost:5000/a@sha256:0", "a@sha256:0"),
        ("a/b", "a/b:latest"),
        ("python:3", "python:3"),
    ],
)
def test_patterns_may_leave_the_registry_out(image: str, short: str) -> None:
    assert spellings(image)[1] == short


def test_the_documented_file_can_be_read(tmp_path: Path) -> None:
    document = Path(__file__).parents[4] / "docs" / "images.md"
    [example] = re.findall(r"```toml\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)
    assert len(parse(example, "images.toml", own_recipes(), tmp_path)) == 4
