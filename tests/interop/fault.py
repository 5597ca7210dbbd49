"""Why a case fails."""


class Fault(Exception):
    """What does not hold, in a line."""
