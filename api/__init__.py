"""HTTP only: FastAPI routes over the store. Nothing here trains."""
