"""What the public check shows besides the status and the dates: the holder alone chooses."""

from sqlalchemy import Connection

from api.certification.certificates.held import Held, Reader, held, required_certificate
from api.certification.certificates.repository import certificate_of, change_certificate
from api.context import Context
from api.oauth.tokens import RunLearner
from api.problems import NOT_ALLOWED, Problem


async def share(
    context: Context, caller: Reader, certificate_id: str, shows_name: bool | None, shows_levels: bool | None
) -> Held:
    """Choose what the public check, and credentials signed from now on, show; None leaves a choice as it is.

    Raises
    ------
    Problem
        404; 403 for anybody but the holder.
    """

    def store(connection: Connection) -> Held:
        read = required_certificate(connection, context, caller, certificate_id)
        if not isinstance(caller, RunLearner):
            raise Problem(NOT_ALLOWED, "The holder alone chooses what is shown: they use the token of their run.")
        wanted = {"shows_name": shows_name, "shows_levels": shows_levels}
        chosen = {name: value for name, value in wanted.items() if value is not None}
        if not chosen:
            return read
        change_certificate(connection, read.certificate.id, chosen)
        changed = certificate_of(connection, read.certificate.id)
        assert changed is not None
        return held(connection, context, changed)

    return await context.write(store)
