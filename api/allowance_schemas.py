"""What goes over the wire of what a household may allow of its plugs."""

from typing import Annotated, Any

from pydantic import Field, StrictBool

from api.schemas import In, Money, Out, Page


class Window(In):
    """Hours that an appliance with a store of its own, such as a water heater, needs in a day."""

    hours: Annotated[
        float, Field(ge=0.25, le=24, allow_inf_nan=False, strict=True, description="A day.", examples=[3.0])
    ]
    ready_by: Annotated[
        str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="Of the home's day.", examples=["07:00"])
    ]


class AllowanceEdit(In):
    """What the engine may do with a plug by itself; what is left out is not allowed."""

    cut_off: StrictBool = Field(default=False, description="Off at hours without use, while nothing is in use.")
    window: Window | None = Field(
        default=None, description="On in the cheapest hours only; goes before `cut_off`. null: not allowed."
    )


class Allowed(Out):
    """What the engine may do with a plug by itself."""

    cut_off: bool
    window: Window | None


class Allowance(Allowed):
    """What is allowed of a device."""

    device_id: int


class Proposal(Out):
    """Something to allow once, with what it is expected to save in a year."""

    id: str = Field(description="Stable while its cause lasts.", examples=["plug_cut_off-7"])
    code: str = Field(description="plug_cut_off or plug_window", examples=["plug_cut_off"])
    device_id: int
    room_id: int | None
    sentence: str
    energy_kwh_per_year: float
    cost_per_year: Money | None
    currency: str
    evidence: dict[str, Any]
    allow: Allowed = Field(description="Put this to the device's allowance to let it happen.")
    allowed: bool = Field(description="Whether this is allowed now.")


class ProposalPage(Page[Proposal]):
    """Proposals, the most money first."""
