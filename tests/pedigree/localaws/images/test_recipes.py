"""Recipes are read with words for what is wrong; an image gets the user's own first, then pedigree's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pedigree.localaws.images.catalog import NOT_HERE, PYTORCH, ImageCatalog, own_recipes
from pedigree.localaws.images.errors import ImageError, RecipeError
from pedigree.localaws.images.recipe import parse, spellings
from pedigree.localaws.services.sagemaker.resources.images import PROGRAMS_FOLDER

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
        ("763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch:2.13-cpu-amzn2023-sagemaker", PYTORCH),
        ("python:3.11-slim", "python"),
        ("docker.io/library/python:3.12", "python"),
    ],
)
def test_aws_s_images_have_a_recipe(image: str, recipe: str) -> None:
    assert ImageCatalog().find(image).recipe.name == recipe


def test_every_program_of_a_recipe_is_there() -> None:
    named = {name for recipe in own_recipes() for name in (recipe.script, recipe.algorithm, recipe.serve) if name}
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
        ('[[recipe]]\nname = "x"\nimages = ["x"]\nenvironment = "v"\npackages = ["six"]', "gets no packages"),
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
    assert len(parse(example, "images.toml", own_recipes(), tmp_path)) == 3
