"""`/api/providers`: what stores can be connected to."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.auth import StoresReader
from api.caching import REVALIDATED
from api.schemas.providers import ProviderAnswer, ProviderListAnswer
from api.services import Services
from providers._kit.protocols import Provider

router = APIRouter(prefix="/api/providers", tags=["providers"])


@router.get("", summary="List providers", response_model=ProviderListAnswer, responses=REVALIDATED)
async def list_(request: Request, principal: StoresReader, services: Services) -> Response:
    """Every provider with the JSON schema of its connection form."""

    async def make() -> ProviderListAnswer:
        return ProviderListAnswer(data=[_view(provider) for provider in services.registry.all()])

    return await services.cache.cached(
        request,
        principal,
        name="providers",
        ttl_s=services.config.cache_records_s,
        # Other processes may have other folders of providers, or be of another release.
        version=f"{services.started_at}",
        make=make,
    )


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
