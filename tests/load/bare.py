"""What FastAPI itself costs: the least endpoint there is, for comparison."""

from fastapi import FastAPI

app = FastAPI()


@app.post("/bare")
async def bare() -> dict[str, bool]:
    return {"ok": True}
