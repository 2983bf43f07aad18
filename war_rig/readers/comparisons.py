"""The kinds of facts that compare: that the subject is ... than the object, or ... the object."""

OPPOSITE = {
    "greater": "at-most", "at-most": "greater", "less": "at-least", "at-least": "less",
}  # fmt: skip
"""Each with what holds where it does not."""

MIRRORED = {
    "greater": "less", "less": "greater", "at-most": "at-least", "at-least": "at-most",
}  # fmt: skip
"""Each with what holds of the object and the subject, in this order."""
