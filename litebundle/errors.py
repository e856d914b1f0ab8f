"""The one exception a user of litebundle is meant to see."""


class LitebundleError(Exception):
    """Bad input: the message names the object, the rule it broke and the way out."""
