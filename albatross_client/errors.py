"""The ways in which talking to an Albatross host can fail.

A class exists only where somebody catches it differently; the message is one
sentence for the operator: what happened, and what to do about it.
"""


class AlbatrossError(Exception):
    """Any failure of a conversation with an Albatross host."""


class RemoteProtocolError(AlbatrossError):
    """The bytes of the other side break the grammar or its limits."""


class CommandRefusedError(AlbatrossError):
    """The host refused: by a failure, in its own text, or without a word.

    Without a word it closes the connection in good order before any answer.
    """


class HungUpError(CommandRefusedError):
    """The service behind the endpoint has hung up on us.

    On a subscription that is how somebody else shows who subscribes to the
    same path: a host keeps one subscriber of each.  A command may have taken
    effect before.
    """


class HostUnreachableError(AlbatrossError):
    """No connection, a lost one, or no answer in time.

    Attributes:
        sent: Whether the command may have reached the host: if so, it may
            have taken effect, and only a look at the host can tell.
    """

    def __init__(self, message: str, *, sent: bool = False) -> None:
        super().__init__(message)
        self.sent = sent


class CertificateError(AlbatrossError):
    """Our certificate, or the server's, is not accepted."""


class EncryptedKeyError(CertificateError):
    """A key file needs a passphrase that was not given."""
