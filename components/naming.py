"""What the components' types are called in a stack's state, whichever language the program is in."""

import pulumi

PACKAGE = "retail-pipeline"
"""Name of the Pulumi package."""


def type_token(component: str) -> str:
    """The type of a component: that of the package's schema, so that a program may change its language."""
    return f"{PACKAGE}:index:{component}"


def once(type_: str, options: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
    """Options of a component whose type was `type_` once: with this alias an update replaces nothing.

    The engine has children inherit it (https://www.pulumi.com/docs/iac/concepts/resources/options/aliases/).
    """
    return pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(aliases=[pulumi.Alias(type_=type_)]))
