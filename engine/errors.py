"""Exceptions of Jalon.

The tree::

    JalonError                what a caller may catch to catch everything of ours
      ParameterError          item parameters that no model accepts
      ResponseError           responses that the items cannot have
      DesignError             a test design that cannot be read or run
      BankError               an item bank that cannot be read or used
        AnswerError           an answer whose shape does not suit the kind of the item
      SettingError            a setting, a name or an address that cannot be used

Every message is one sentence or two that say what is wrong and what to do.
"""


class JalonError(Exception):
    """Base of every error that Jalon raises on purpose."""


class ParameterError(JalonError, ValueError):
    """Item parameters that no model accepts."""


class ResponseError(JalonError, ValueError):
    """Responses that the items cannot have."""


class DesignError(JalonError, ValueError):
    """A test design that cannot be read or run."""


class BankError(JalonError, ValueError):
    """An item bank that cannot be read or used."""


class SettingError(JalonError, ValueError):
    """A setting, a name or an address that cannot be used."""


class AnswerError(BankError):
    """An answer whose shape does not suit the kind of the item."""
