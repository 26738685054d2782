"""The ready-made courses of the bank, as they are shown."""

from typing import Any

from api.context import Context


def list_courses(context: Context) -> dict[str, Any]:
    """Show the courses, with the days of their next period."""
    today = context.clock().date()
    shown = []
    for course in context.courses:
        first, last = course.dates(today)
        shown.append(
            {
                "name": course.name,
                "version": course.version,
                "education": course.education,
                "title": dict(course.title),
                "text": dict(course.text),
                "competences": list(course.competences),
                "targets": dict(course.levels),
                "length": course.items,
                "skip": course.skip,
                "opens": first.isoformat(),
                "closes": last.isoformat(),
            }
        )
    return {"items": shown}
