"""Every endpoint, and who is let in: at one organisation, its neighbours and strangers."""

PUBLIC, PLATFORM, READER, FOREIGN_PLATFORM = "public", "platform", "reading platform", "foreign platform"
ADMIN, FOREIGN_ADMIN, INVIGILATOR, UNASSIGNED = "admin", "foreign admin", "invigilator", "unassigned invigilator"
CANDIDATE, OTHER_CANDIDATE, LEARNER, OTHER_LEARNER = "candidate", "other candidate", "learner", "other learner"
MEMBER, NEIGHBOUR = "member", "admin of another organisation of the platform"
PARTICIPANT, OTHER_PARTICIPANT = "participant", "other participant"
ROLES = (
    *(PUBLIC, PLATFORM, READER, FOREIGN_PLATFORM, ADMIN, FOREIGN_ADMIN, INVIGILATOR, UNASSIGNED),
    *(CANDIDATE, OTHER_CANDIDATE, LEARNER, OTHER_LEARNER),
    *(MEMBER, NEIGHBOUR, PARTICIPANT, OTHER_PARTICIPANT),
)
EVERYBODY = set(ROLES)
STAFF_READS = {PLATFORM, READER, ADMIN, INVIGILATOR}
STAFF_ACTS = {PLATFORM, ADMIN, INVIGILATOR}
ORGANISATION_READS, ORGANISATION_ACTS = {PLATFORM, READER, ADMIN}, {PLATFORM, ADMIN}
HOLDS = {PLATFORM, READER, ADMIN, LEARNER}
OWN_PLATFORMS = {PLATFORM, READER}
ANY_PLATFORM = {PLATFORM, READER, FOREIGN_PLATFORM}
TEAM_READS, TEAM_ACTS = {PLATFORM, READER, ADMIN, MEMBER}, {PLATFORM, ADMIN, MEMBER}
PARTICIPATES = {PLATFORM, PARTICIPANT}

ALLOWED: dict[str, set[str]] = {
    "GET /v1/health": EVERYBODY,
    "GET /v1/framework": EVERYBODY,
    "POST /oauth/token": EVERYBODY,
    "GET /v1/checks/{code}": EVERYBODY,
    "GET /.well-known/jwks.json": EVERYBODY,
    "GET /v1/keys/{thumbprint}": EVERYBODY,
    "POST /v1/session-entries": EVERYBODY,  # with the code and the name of somebody enrolled
    "POST /v1/learners": {PLATFORM, FOREIGN_PLATFORM},
    "GET /v1/learners": ANY_PLATFORM,  # their own
    "GET /v1/learners/{learner_id}": OWN_PLATFORMS,
    "GET /v1/learners/{learner_id}/profile": OWN_PLATFORMS,
    "GET /v1/learners/{learner_id}/runs": OWN_PLATFORMS,
    "GET /v1/learners/{learner_id}/eligibility": ORGANISATION_READS,
    "GET /v1/learners/{learner_id}/data": OWN_PLATFORMS,
    "GET /v1/learners/{learner_id}/accesses": OWN_PLATFORMS,
    "DELETE /v1/learners/{learner_id}": {PLATFORM},
    "GET /v1/organisations/{organisation_id}/learners/{registration_id}/data": ORGANISATION_READS,
    "POST /v1/runs": {PLATFORM},
    "GET /v1/runs/{run_id}": {PLATFORM, READER, OTHER_LEARNER},
    "POST /v1/runs/{run_id}/answers": {PLATFORM, OTHER_LEARNER},
    "POST /v1/organisations": {PLATFORM, FOREIGN_PLATFORM},
    "GET /v1/organisations": ANY_PLATFORM,  # their own
    "GET /v1/organisations/{organisation_id}": {PLATFORM, READER, ADMIN, INVIGILATOR, UNASSIGNED, MEMBER},
    "POST /v1/organisations/{organisation_id}/members": ORGANISATION_ACTS,
    "GET /v1/organisations/{organisation_id}/members": ORGANISATION_READS,
    "DELETE /v1/organisations/{organisation_id}/members/{member_id}": ORGANISATION_ACTS,
    "POST /v1/organisations/{organisation_id}/sessions": ORGANISATION_ACTS,
    "GET /v1/organisations/{organisation_id}/sessions": {
        PLATFORM,
        READER,
        ADMIN,
        INVIGILATOR,
        UNASSIGNED,
        MEMBER,
    },  # assigned ones only
    "GET /v1/sessions/{session_id}": STAFF_READS,
    "PATCH /v1/sessions/{session_id}": ORGANISATION_ACTS,
    "POST /v1/sessions/{session_id}/open": ORGANISATION_ACTS,
    "POST /v1/sessions/{session_id}/cancel": ORGANISATION_ACTS,
    "GET /v1/sessions/{session_id}/feasibility": STAFF_READS,
    "GET /v1/sessions/{session_id}/attendance.pdf": STAFF_READS,
    "POST /v1/sessions/{session_id}/incidents": STAFF_ACTS,
    "GET /v1/sessions/{session_id}/incidents": STAFF_READS,
    "POST /v1/sessions/{session_id}/candidates": ORGANISATION_ACTS,
    "POST /v1/sessions/{session_id}/candidates/import": ORGANISATION_ACTS,
    "GET /v1/sessions/{session_id}/candidates": STAFF_READS,
    "GET /v1/sessions/{session_id}/candidates/{candidate_id}": STAFF_READS,
    "PATCH /v1/sessions/{session_id}/candidates/{candidate_id}": ORGANISATION_ACTS,
    "DELETE /v1/sessions/{session_id}/candidates/{candidate_id}": ORGANISATION_ACTS,
    "GET /v1/sessions/{session_id}/room": STAFF_READS,
    **{
        f"POST /v1/sessions/{{session_id}}/candidates/{{candidate_id}}/{what}": STAFF_ACTS
        for what in ("authorise", "pause", "resume", "accept", "dismiss", "end")
    },
    "POST /v1/sessions/{session_id}/finalise": ORGANISATION_ACTS,
    "POST /v1/sessions/{session_id}/publish": ORGANISATION_ACTS,
    "GET /v1/sessions/{session_id}/results": ORGANISATION_READS,
    "GET /v1/sessions/{session_id}/candidates/{candidate_id}/evidence": ORGANISATION_READS,
    **{
        f"POST /v1/sessions/{{session_id}}/candidates/{{candidate_id}}/{what}": ORGANISATION_ACTS
        for what in ("review", "revoke", "rescore")
    },
    "GET /v1/sitting": {CANDIDATE, OTHER_CANDIDATE},  # each their own
    **{
        f"POST /v1/sitting/{what}": {CANDIDATE, OTHER_CANDIDATE}
        for what in ("start", "return", "answers", "reports", "end")
    },
    "GET /v1/certificate": {LEARNER},
    "GET /v1/certificates/{certificate_id}": HOLDS,
    "GET /v1/certificates/{certificate_id}.pdf": HOLDS,
    "GET /v1/certificates/{certificate_id}/credential": HOLDS,
    "GET /v1/certificates/{certificate_id}/audit": HOLDS,
    "PATCH /v1/certificates/{certificate_id}": {LEARNER},
    "PATCH /v1/organisations/{organisation_id}/members/{member_id}": ORGANISATION_ACTS,
    "POST /v1/organisations/{organisation_id}/invitations": ORGANISATION_ACTS,
    "GET /v1/organisations/{organisation_id}/invitations": ORGANISATION_READS,
    "DELETE /v1/organisations/{organisation_id}/invitations/{invitation_id}": ORGANISATION_ACTS,
    "POST /v1/invitation-answers": EVERYBODY,  # with the code of an invitation
    "GET /v1/organisations/{organisation_id}/audit": ORGANISATION_READS,
    "POST /v1/organisations/{organisation_id}/learners": ORGANISATION_ACTS,
    "GET /v1/organisations/{organisation_id}/learners": TEAM_READS,
    "GET /v1/organisations/{organisation_id}/learners/{registration_id}": TEAM_READS,
    "PATCH /v1/organisations/{organisation_id}/learners/{registration_id}": ORGANISATION_ACTS,
    "GET /v1/organisations/{organisation_id}/teams": TEAM_READS,
    "POST /v1/organisations/{organisation_id}/learner-imports": ORGANISATION_ACTS,
    "GET /v1/organisations/{organisation_id}/learner-imports/{import_id}": ORGANISATION_READS,
    "POST /v1/organisations/{organisation_id}/learner-imports/{import_id}/apply": ORGANISATION_ACTS,
    "GET /v1/courses": EVERYBODY,
    "POST /v1/organisations/{organisation_id}/campaigns": TEAM_ACTS,
    "GET /v1/organisations/{organisation_id}/campaigns": TEAM_READS,
    "GET /v1/campaigns/{campaign_id}": TEAM_READS,
    "PATCH /v1/campaigns/{campaign_id}": TEAM_ACTS,
    "POST /v1/campaigns/{campaign_id}/archive": TEAM_ACTS,
    "GET /v1/campaigns/{campaign_id}/follow-up": TEAM_READS,
    "GET /v1/campaigns/{campaign_id}/participations": TEAM_READS,
    "POST /v1/campaigns/{campaign_id}/participations": {PLATFORM},
    **{
        f"GET /v1/campaigns/{{campaign_id}}/{what}": TEAM_READS
        for what in ("results", "comparison", "progress", "results.csv", "results.json", "report.pdf")
    },
    "GET /v1/campaign-codes/{code}": EVERYBODY,
    "POST /v1/participations": EVERYBODY,  # with the code of a campaign, and who one is
    "GET /v1/participations/{participation_id}": PARTICIPATES,
    "POST /v1/participations/{participation_id}/start": PARTICIPATES,
    "POST /v1/participations/{participation_id}/attempts": PARTICIPATES,
    "POST /v1/participations/{participation_id}/send": PARTICIPATES,
    "GET /v1/participations/{participation_id}/result": TEAM_READS,
}
"""Who is let in; every other role is turned away with 401, 403 or 404."""
