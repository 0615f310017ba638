"""Named air conditioners: nameplate facts, and the record that behaves like them."""

from simulator.physics.split_unit import Unit

MODELS = ("apf_5_65", "grade_1", "grade_3", "floor_7_2kw", "fixed_speed")


def unit(model: str) -> Unit:
    """A healthy unit of a named model; ``KeyError`` for a name not in ``MODELS``."""
    cooling_w, heating_w, cooling_cop, heating_cop = {
        "apf_5_65": (3500.0, 5000.0, 4.3, 4.1),
        "grade_1": (3500.0, 4800.0, 3.9, 3.8),
        "grade_3": (3500.0, 4400.0, 3.2, 3.4),
        "floor_7_2kw": (7200.0, 9600.0, 3.4, 3.4),
        "fixed_speed": (3500.0, 3800.0, 3.2, 3.4),
    }[model]
    return Unit(
        rated_cooling_w=cooling_w,
        rated_heating_w=heating_w,
        cooling_power_w=cooling_w / cooling_cop,
        heating_power_w=heating_w / heating_cop,
        fixed_speed=model == "fixed_speed",
        minimum_frequency_ratio=0.2,
        maximum_cooling_ratio=1.25,
        maximum_heating_ratio=1.4,
        capacity_bend=0.15,
        cooling_power_0=0.05,
        cooling_power_1=0.4,
        cooling_power_2=0.55,
        heating_power_0=0.05,
        heating_power_1=0.45,
        heating_power_2=0.5,
        airflow_kg_s=cooling_w / 3500.0 * 0.22,
        bypass_ratio=0.2,
        fan_w=cooling_w / 3500.0 * 30.0,
        outdoor_airflow_kg_s=cooling_w / 3500.0 * 0.6,
        standby_w=2.0,
        crankcase_w=15.0,
        sensor_offset_k=0.0,
        sensor_drift_k=0.0,
        sensor_lag_s=180.0,
        sensor_step_k=0.25,
        heating_compensation_k=2.0,
        stop_k=1.5,
        restart_k=0.75,
        gain_per_k=0.2,
        integral_per_k_s=0.2 / 900.0,
        minimum_run_s=300.0,
        minimum_rest_s=180.0,
        start_frequency_ratio=0.5,
        start_cooling_loss_j=60_000.0,
        start_heating_loss_j=120_000.0,
        capacity_factor=1.0,
        power_factor=1.0,
        airflow_factor=1.0,
        outdoor_excess_k=0.0,
    )
