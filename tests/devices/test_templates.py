"""Templates from announcements that anybody can send."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.templates import MAX_RESULT_CHARACTERS, UnsupportedTemplate, compile_template

BODY = {"a": {"b": [1, {"c": "12.50"}]}, "state": "ON", "n": 7, "flag": True, "none": None, "mode": "2"}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ value }}", "raw"),
        ("{{ value_json.state }}", "ON"),
        ("{{value_json['a'].b[1]['c']}}", "12.50"),
        ("{{ value_json.a.b[1].c | float }}", "12.5"),
        ("{{ value_json.a.b[1].c | float | round(1) }}", "12.5"),
        ("{{ value_json.n | float / 10 }}", "0.7"),
        ("{{ (value_json.n - 2) * 3 + 1 }}", "16"),
        ("{{ value_json.n | round(0, 'floor') }}", "7"),
        ("{{ 'ON' if value_json.flag else 'OFF' }}", "ON"),
        ("{% if value_json.n > 5 %}hot{% elif value_json.n > 2 %}warm{% else %}cold{% endif %}", "hot"),
        ("{% set m = {'1': 'heat', '2': 'cool'} %}{{ m[value_json.mode] if value_json.mode in m else 'off' }}", "cool"),
        ("{{ {'2': 'cool'}.get(value_json.mode, 'auto') }}", "cool"),
        ("{{ value_json.state | lower }}", "on"),
        ("{{ value | replace('raw', 'cooked') }}", "cooked"),
        ("{{ value_json.missing | default(value_json.state) }}", "ON"),
        ("{{ value_json.none | default('auto', true) }}", "auto"),
        ("{{ iif(value_json.flag, 'yes', 'no') }}", "yes"),
        ("{{ value_json.state is defined and value_json.n is number }}", "True"),
        ('{"mode": "{{ value }}"}', '{"mode": "raw"}'),
        ("no braces", "no braces"),
    ],
)
def test_what_devices_really_write_is_supported(template: str, expected: str) -> None:
    assert compile_template(template).render("raw", BODY) == expected


@pytest.mark.parametrize(
    "template",
    [
        "{{ value_json.missing }}",
        "{{ value_json.a.x.y }}",
        "{{ value_json.none }}",
        "{{ value_json.missing | default(0) }}",
        "{{ value_json.missing | float(0) }}",
        "{{ value | float(0) }}",
        "{{ value_json.state | int(5) }}",
        "{{ value_json.none | default('0', true) }}",
        "{{ value_json.n / 0 }}",
        "{{ value_json.state * 1000000000 }}",
        "{{ '%01000000000d' % value_json.n }}",
        "{{ value_json.n | round(1000000000) }}",
        "{{ 1e308 * 1e308 * value_json.n | float }}",
    ],
)
def test_what_a_template_cannot_know_is_unknown_and_never_a_number(template: str) -> None:
    assert compile_template(template).render("raw", BODY) in (None, "", "inf")


@pytest.mark.parametrize(
    "template",
    [
        "{% for i in range(1000000) %}x{% endfor %}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ value.__class__.__mro__ }}",
        "{{ value | attr('__class__') }}",
        "{{ ''.join(['a']) }}",
        "{{ '{0}'.format(value) }}",
        "{{ value | center(100000000) }}",
        "{{ value | regex_replace('(a+)+$', '') }}",
        "{{ states('sensor.x') }}",
        "{{ now() }}",
        "{{ range(10) }}",
        "{{ float.__globals__ }}",
        "{% set a = value ~ value %}{% set b = a ~ a %}{{ b }}",
        "{% set a = value %}{% set a = a ~ a %}{{ a }}",
        "{% set value = 3 %}{{ value }}",
        "{% set ns.x = 1 %}",
        "{% macro m() %}{% endmacro %}",
        "{% include 'x' %}",
        "{% import 'x' as x %}",
        "{% raw %}{{ x }}",
        "{{ value",
        "{{ " + "(" * 500 + "1" + ")" * 500 + " }}",
        "{{ " + "+".join(["1"] * 450) + " }}",
        "{{ value }}" + "x" * 2000,
        "{{ value_json.get(*value_json) }}",
        "{{ self }}",
        "{{ caller() }}",
    ],
)
def test_whatever_could_do_harm_is_not_supported(template: str) -> None:
    with pytest.raises(UnsupportedTemplate):
        compile_template(template)


def test_the_largest_results_stay_small_and_quick() -> None:
    start = time.perf_counter()
    value = "a" * MAX_RESULT_CHARACTERS
    for template in (
        "{{ value | replace('a', value) }}",
        "{{ value | replace('', value) }}",
        "{{ " + "~".join(["value"] * 190) + " }}",
        "{{ " + "+".join(["value"] * 35) + " }}",
        "{{ " + "*".join(["value_json.n"] * 35) + " }}",
    ):
        assert compile_template(template).render(value, {"n": 10**300}) in (None, "inf")
    assert time.perf_counter() - start < 5.0


PIECES = [
    *("{{", "}}", "{%", "%}", "value", "value_json", ".a", "['b']", "|", "float", "default(1)", "int", "+", "*", "**"),
    *("(", ")", "if", "else", "endif", "for", "in", "set", "=", "'x'", "[0]", "{", "}", ":", "~", "1", "not", "is"),
]


@given(template=st.lists(st.sampled_from(PIECES), max_size=25).map(" ".join) | st.text(max_size=60))
def test_any_text_is_a_template_that_renders_or_is_not_supported(template: str) -> None:
    try:
        compiled = compile_template(template)
    except UnsupportedTemplate:
        return
    for value, body in (("1", {"a": 1, "b": "x"}), ("", None), ("unknown", [1, 2])):
        result = compiled.render(value, body)
        assert result is None or isinstance(result, str)
