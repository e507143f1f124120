"""The classifiers of torchvision, with the weights and the sizes of pictures that each takes.

Without this table an unknown network, or pictures of a size that it does not take, would fail in the container, after
images have been prepared and a machine has been paid for. A test in .venv-container compares it with torchvision.
"""

from __future__ import annotations

from collections.abc import Mapping

V1, V2 = "IMAGENET1K_V1", "IMAGENET1K_V2"
SWAG = ("IMAGENET1K_SWAG_E2E_V1", "IMAGENET1K_SWAG_LINEAR_V1")
DEFAULT = "DEFAULT"
_WITH_V1 = """
    alexnet convnext_base convnext_large convnext_small convnext_tiny densenet121 densenet161 densenet169
    densenet201 efficientnet_b0 efficientnet_b2 efficientnet_b3 efficientnet_b4 efficientnet_b5 efficientnet_b6
    efficientnet_b7 efficientnet_v2_l efficientnet_v2_m efficientnet_v2_s googlenet inception_v3 maxvit_t
    mnasnet0_5 mnasnet0_75 mnasnet1_0 mnasnet1_3 mobilenet_v3_small resnet18 resnet34 resnext101_64x4d
    shufflenet_v2_x0_5 shufflenet_v2_x1_0 shufflenet_v2_x1_5 shufflenet_v2_x2_0 squeezenet1_0 squeezenet1_1
    swin_b swin_s swin_t swin_v2_b swin_v2_s swin_v2_t vgg11 vgg11_bn vgg13 vgg13_bn vgg16_bn vgg19 vgg19_bn
    vit_b_32 vit_l_32
"""
_WITH_V1_AND_V2 = """
    efficientnet_b1 mobilenet_v2 mobilenet_v3_large regnet_x_16gf regnet_x_1_6gf regnet_x_32gf regnet_x_3_2gf
    regnet_x_400mf regnet_x_800mf regnet_x_8gf regnet_y_1_6gf regnet_y_3_2gf regnet_y_400mf regnet_y_800mf
    regnet_y_8gf resnet101 resnet152 resnet50 resnext101_32x8d resnext50_32x4d wide_resnet101_2 wide_resnet50_2
"""
NETWORKS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_WITH_V1.split(), (V1,)),
    **dict.fromkeys(_WITH_V1_AND_V2.split(), (V1, V2)),
    "regnet_y_128gf": SWAG,
    "regnet_y_16gf": (V1, V2, *SWAG),
    "regnet_y_32gf": (V1, V2, *SWAG),
    "vgg16": (V1, "IMAGENET1K_FEATURES"),
    "vit_b_16": (V1, *SWAG),
    "vit_h_14": SWAG,
    "vit_l_16": (V1, *SWAG),
}
# The side of the pictures, for networks that take one size only; and the least side, where it is more than 1.
_ONE_SIZE = {"maxvit_t": 224, "vit_b_16": 224, "vit_b_32": 224, "vit_h_14": 224, "vit_l_16": 224, "vit_l_32": 224}
_ONE_SIZE_OF_WEIGHTS = {
    ("vit_b_16", SWAG[0]): 384,
    ("vit_h_14", SWAG[0]): 518,
    ("vit_h_14", DEFAULT): 518,
    ("vit_l_16", SWAG[0]): 512,
}
_LEAST_SIZE = {"alexnet": 63, "inception_v3": 75}
LARGEST = 1024


def sizes(network: str, weights: str) -> tuple[int, int]:
    """The least and the largest side of the pictures that a network takes."""
    only = _ONE_SIZE_OF_WEIGHTS.get((network, weights)) or _ONE_SIZE.get(network)
    return (only, only) if only else (_LEAST_SIZE.get(network, 1), LARGEST)
