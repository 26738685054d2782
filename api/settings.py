"""Settings of the server: read once, frozen, handed to ``create_app`` and to nothing else."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.addresses import checked_address
from api.database import checked_url
from api.rates import checked_rate
from engine.errors import SettingError


def checked_zone(text: str) -> str:
    """Return ``text`` when it names a time zone; raise ``SettingError`` otherwise."""
    if text not in available_timezones():
        raise SettingError(f"The time zone {text!r} is unknown; write one such as Europe/Paris.")
    return text


class Settings(BaseSettings):
    """What an operator may choose; each field is also read from the environment as ``JALON_<FIELD>``.

    >>> Settings(database="sqlite:///jalon.db").self_service
    False
    """

    model_config = SettingsConfigDict(env_prefix="JALON_", frozen=True, extra="forbid")

    database: Annotated[
        str,
        AfterValidator(checked_url),
        Field(description="Where runs are kept: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME."),
    ] = "sqlite:///jalon.db"
    bank: Annotated[Path | None, Field(description="Folder of the item bank; the shipped CRCN bank when left out.")] = (
        None
    )
    self_service: Annotated[
        bool, Field(description="Whether a visitor may start a run without a code on the learner's pages.")
    ] = False
    https: Annotated[
        bool, Field(description="Whether the server is reached by HTTPS: secure cookies and strict transport security.")
    ] = False
    body_limit: Annotated[int, Field(ge=1_024, description="Largest accepted request body, in bytes.")] = 65_536
    import_limit: Annotated[
        int,
        Field(ge=1_024, description="Largest accepted file of candidates or learners, and its request, in bytes."),
    ] = 20_971_520
    token_rate: Annotated[
        str,
        AfterValidator(checked_rate),
        Field(description="Token requests allowed to one address, and to one client."),
    ] = "60/minute"
    code_rate: Annotated[
        str, AfterValidator(checked_rate), Field(description="Unknown access codes that one address may try.")
    ] = "120/minute"
    entry_rate: Annotated[
        str,
        AfterValidator(checked_rate),
        Field(description="Entries that fail from one address: into sessions, and into campaigns."),
    ] = "120/minute"
    sign_in_rate: Annotated[
        str, AfterValidator(checked_rate), Field(description="Sign-ins of members of organisations from one address.")
    ] = "120/minute"
    start_rate: Annotated[
        str,
        AfterValidator(checked_rate),
        Field(description="Runs that visitors from one address may start, and accounts made in open campaigns."),
    ] = "120/minute"
    invitation_days: Annotated[
        int, Field(ge=1, le=365, description="Life of an invitation to become a member of an organisation.")
    ] = 14
    import_hours: Annotated[
        int, Field(ge=1, le=720, description="How long a list of learners that was read waits to be applied.")
    ] = 24
    deactivated_share: Annotated[
        float,
        Field(ge=0, le=1, description="Share of the active learners that a list may deactivate without confirmation."),
    ] = 0.2
    campaign_zone: Annotated[str, AfterValidator(checked_zone), Field(description="Time zone of campaigns.")] = (
        "Europe/Paris"
    )
    archive_day: Annotated[
        str,
        Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8]|30|31)$", description="Last day of a campaign, MM-DD."),
    ] = "08-31"
    keep_registrations_days: Annotated[
        int, Field(ge=1, description="Days after which a learner who left an organisation is taken off its list.")
    ] = 730
    keep_participations_days: Annotated[
        int, Field(ge=1, description="Days after the archive of a campaign for which names stay beside its results.")
    ] = 1_095
    keep_learners_days: Annotated[
        int, Field(ge=1, description="Days without any activity after which a learner's account is erased.")
    ] = 1_825
    keep_accesses_days: Annotated[
        int, Field(ge=1, description="Days for which the log of who saw what of a learner is kept.")
    ] = 365
    keep_deeds_days: Annotated[
        int, Field(ge=1, description="Days for which the audit of who did what in an organisation is kept.")
    ] = 1_825
    access_token_seconds: Annotated[int, Field(ge=60, le=86_400, description="Life of a platform's access token.")] = (
        3_600
    )
    learner_token_days: Annotated[
        int, Field(ge=1, le=3_650, description="Life of a learner's token and access code, from the start of the run.")
    ] = 90
    holder_token_days: Annotated[
        int, Field(ge=1, le=36_500, description="Life of the access code by which a certificate's holder finds it.")
    ] = 3_650
    public_url: Annotated[
        str,
        AfterValidator(checked_address),
        Field(description="Address by which the world reaches this server: in QR codes and signed credentials."),
    ] = "http://localhost:8000"
    credential_keys: Annotated[
        Path | None,
        Field(description="Folder of Ed25519 keys in PEM files: the private one last by name signs; all are public."),
    ] = None
    credential_key: Annotated[
        SecretStr | None, Field(description="Private Ed25519 key as PEM text; it signs instead of those in the folder.")
    ] = None
    check_rate: Annotated[
        str, AfterValidator(checked_rate), Field(description="Certificates that one address may check.")
    ] = "30/minute"
    write_batch: Annotated[
        int, Field(ge=1, le=4_096, description="Largest number of requests whose writes share one transaction.")
    ] = 256
    live_runs: Annotated[int, Field(ge=1, description="Runs whose state is kept in memory between two answers.")] = (
        4_096
    )
    evidence_half_life_days: Annotated[
        float, Field(gt=0, description="Age at which the answers of an earlier run count half in a new one.")
    ] = 180.0
    fresh_runs: Annotated[
        int, Field(ge=0, description="Last finished runs whose items a new run leaves out when enough others remain.")
    ] = 2
    fresh_items: Annotated[
        int, Field(ge=1, description="Items that must remain in a competence for that, after leaving items out.")
    ] = 8

    def access_to_run(self, certifies: bool) -> timedelta:
        """How long the access code of a run works; of one that certifies, for the holder of the certificate."""
        return timedelta(days=self.holder_token_days if certifies else self.learner_token_days)


def chosen(**given: Any) -> Settings:
    """Make settings of which some are given; the others come from the environment.

    Raises
    ------
    SettingError
        When one cannot be used.
    """
    try:
        return Settings(**given)
    except ValidationError as error:
        fault = error.errors()[0]
        words = str(fault["msg"]).removeprefix("Value error, ").rstrip(".")
        raise SettingError(f"The setting {fault['loc'][0]} cannot be used: {words}.") from None
