"""`/api/providers`: what stores can be connected to."""

from fastapi import APIRouter

from api.auth import StoresReader
from api.schemas.providers import ProviderAnswer, ProviderListAnswer
from api.services import Services
from providers._kit.protocols import Provider

router = APIRouter(prefix="/api/providers", tags=["providers"])


@router.get("", summary="List providers")
async def list_(_principal: StoresReader, services: Services) -> ProviderListAnswer:
    """Every provider with the JSON schema of its connection form."""
    return ProviderListAnswer(data=[_view(provider) for provider in services.registry.all()])


def _view(provider: Provider) -> ProviderAnswer:
    manifest = provider.manifest
    return ProviderAnswer(
        slug=manifest.slug,
        title=manifest.title,
        description=manifest.description,
        documentation_url=manifest.documentation_url,
        entities=[entity.value for entity in manifest.entities],
        tracks_changes=sorted(entity.value for entity in manifest.tracks_changes),
        config_schema=provider.config_model.model_json_schema(by_alias=True),
    )
