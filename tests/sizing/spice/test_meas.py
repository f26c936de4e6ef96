"""What may follow `.meas`: the forms in which ngspice measures what they say."""

import pytest

from sizing.spice.meas import MeasForm, parse_meas


@pytest.mark.parametrize(
    ("kind", "text", "form"),
    [
        ("tran", "min v(out)", MeasForm("min", ("v(out)",), ())),
        ("tran", "PP V(Out) from = 1u to=2u", MeasForm("pp", ("v(out)",), (("from", 1e-6), ("to", 2e-6)))),
        ("tran", "find i(vdd) at=3", MeasForm("find", ("i(vdd)",), (("at", 3.0),))),
        ("tran", "when v(a)=v(b) td=1n fall=last", MeasForm("when", ("v(a)", "v(b)"), (("td", 1e-9),))),
        ("tran", "find v(a) when v(b)=-0.5 cross=2", MeasForm("find", ("v(a)", "v(b)"), ())),
        ("tran", "trig at=1n targ v(x1.b) val=0.5 rise=1", MeasForm("trig", ("v(x1.b)",), (("at", 1e-9),))),
        ("ac", "max vdb(out) from=1k to=1Meg", MeasForm("max", ("v(out)",), (("from", 1e3), ("to", 1e6)))),
        ("dc", "find v(out) at=0.5", MeasForm("find", ("v(out)",), (("at", 0.5),))),
    ],
)
def test_a_form_is_read(kind: str, text: str, form: MeasForm):
    assert parse_meas(kind, text) == form


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("tran", "param=d*2"),
        ("tran", "max par('v(a)-v(b)')"),
        ("tran", "max v(a,b)"),
        ("tran", "max @r1[i]"),
        ("tran", "max c"),
        ("tran", "when i(x1.v1)=1"),
        ("tran", "deriv v(out) at=1n"),
        ("tran", "max v(out) from='1u+2u'"),
        ("tran", "find v(out)"),
        ("tran", "trig v(out) val=1 targ v(out) val=2"),
        ("tran", "when v(out)=1 cross=0"),
        ("ac", "max v(out)"),
        ("ac", "find i(vdd) at=1k"),
        ("ac", "when vm(out)=0.5 td=1k"),
        ("ac", "when vm(out)=vm(in)"),
        ("noise", "find onoise_spectrum at=1k"),
        ("op", "max v(out)"),
    ],
)
def test_what_ngspice_does_not_measure_as_it_says_is_refused(kind: str, text: str):
    with pytest.raises(ValueError, match=r"^expected (a )?\.meas of"):
        parse_meas(kind, text)
