"""Which camera, how it was set, what it writes, and what was taken off before: facts that decide about calibration."""

from __future__ import annotations

import re

from observations.numerics.fits.cards import Cards
from observations.numerics.fits.facts import Notes
from observations.numerics.fits.keywords import CALIBRATED_KEYWORDS, KEYWORDS, WINDOW_KEYWORDS

# Above this, GAIN of an amateur camera is a setting of its amplifier and not electrons per ADU.
LARGEST_PLAIN_GAIN = 20.0
_ELECTRONS = re.compile(r"\be-?\b|e-?/|electrons?\b", re.I)
_SETTING = re.compile(
    r"\bsettings?\b|manufacturer|unitless|\bdB\b|decibel|\bindex\b|\bmode\b|\bsteps?\b|\bregister\b|\blevel\b|\bpercent"
    r"|%|\bpre-?amp\w*|\bPGA\b|\bvideo\b|\banalog(?:ue)?\b|\brelative\b",
    re.I,
)
# A register that multiplies electrons before they are counted.
_MULTIPLYING = re.compile(r"\bEM[- ]?gain\b|multipl", re.I)
_MULTIPLIERS = ("EMGAIN", "EM-GAIN", "EM_GAIN", "EMGAINST", "GAIN_EM", "GAINEM", "EMCCDGN")
# Makes of cameras whose gain is set in steps of the maker's.
_CMOS = re.compile(r"\bZWO\b|\bASI ?\d|\bQHY|player ?one|toup|svbony|\bSV\d{3}|altair|risingcam|ogma|omegon", re.I)
_PATTERN = re.compile(r"[RGB]{4}$")
_ELECTRON = r"(?:e-?|el(?:ec)?|(?:photo-?)?electrons?|photons?)"
_COUNT = r"(?:adus?|dns?|dus?|counts?|cts?|data numbers?)"
_PER_SECOND = r"(?:\s*(?:/|per)\s*(?:s|sec|seconds?)|[. ]?\s*s(?:\^|\*\*)?-1)"
_UNITS = (
    (re.compile(rf"^{_ELECTRON}$", re.I), "electron"),
    (re.compile(rf"^{_ELECTRON}{_PER_SECOND}$", re.I), "electron/s"),
    (re.compile(rf"^{_COUNT}$", re.I), "adu"),
    (re.compile(rf"^{_COUNT}{_PER_SECOND}$|^cps$", re.I), "adu/s"),
)
_ALL_STEPS = ("bias", "dark", "flat")
# Words by which a pipeline says that a step is still to be done or was left out.
_NOT_DONE = re.compile(r"^(f|false|no|none|omit\w*|skip\w*|perform|0(\.0*)?|-\d+|not\b.*|unknown|n/a|)$", re.I)
_VERB = r"(?:subtract\w*|sub|correct\w*|divi\w*|calibrat\w*|preprocess\w*|removed|applied|apply|applying)"
_TAKEN_OFF = rf"\W+(?:\w+\W+){{0,3}}?{_VERB}\b"
_BY = rf"\b{_VERB}\W+(?:\w+\W+){{0,8}}?"
_MASTER = r"|\bmaster{0}\W+(?:fileName|enabled\W+true)|(?<!\w)-{0}="
_DONE_IN_HISTORY = {
    "bias": re.compile(rf"\b(?:bias|zero){_TAKEN_OFF}|{_BY}(?:bias|zero)\b{_MASTER.format('bias')}", re.I),
    "dark": re.compile(rf"\bdark{_TAKEN_OFF}|{_BY}dark\b{_MASTER.format('dark')}", re.I),
    "flat": re.compile(
        rf"\bflat(?:[- ]?field)?(?:{_TAKEN_OFF}|ed\b|ing\b| \()|{_BY}flat\b"
        rf"|^\W*flat[- ]?field\W*${_MASTER.format('flat')}",
        re.I,
    ),
}
# "Calibrated" alone, and not a solution, a colour or a pointing that was.
_CALIBRATED_ALONE = re.compile(
    r"^\W*(?:image |frame |\w+: )?(?:calibrated|reduced)(?: (?:by|with|using|in) [\w ]+)?\W*$", re.I
)
_DENIED = re.compile(
    r"\b(not?|without|skip\w*|omit\w*|disabled|off|to be)\b|[:=]\s*(?:f|false|none|0)\W*$|astrometr|photometr|\bwcs\b",
    re.I,
)
# Words of a comment that make a number of frames one of members of a stack.
_STACKED = re.compile(r"stack|combin|co-?add|averag|summed|integrated", re.I)
_ADDED = r"(?:stacked|combined|averaged|summed|co-?added|integrated)"
_FRAMES = r"(?:frames?|images?|exposures?|subs?|files?|lights?)"
# What programs that add exposures write.
_STACK_IN_HISTORY = re.compile(
    r"(?:numberOfImages\W+|^\W*(?:stack|mean|median|sum|average) of )(?P<number>[2-9]|[1-9]\d+)\b"
    rf"|\b{_ADDED}\W+(?:of )?(?P<after>[2-9]|[1-9]\d+) {_FRAMES}\b"
    rf"|\b(?P<before>[2-9]|[1-9]\d+) {_FRAMES} (?:\w+ )?{_ADDED}\b"
    r"|^\W*ImageIntegration\b|DeepSkyStacker|\bimcombine\b",
    re.I,
)
# A count of what was added, whatever its keyword.
_COUNT_OF_ADDED = re.compile(
    rf"(?:number|no\.?|#|count) of (?:\w+ ){{0,2}}{_FRAMES}\W+(?:\w+\W+){{0,3}}?{_ADDED}\b|\b{_ADDED} {_FRAMES}\b", re.I
)
# Units of fluxes: what a pipeline writes at its end.
_FLUX = re.compile(r"jy\b|jansky|\berg|maggy|maggies|\bmag\b", re.I)
# A word for what a pipeline has been through; "uncalibrated" and "not reduced" are none.
_REDUCED = re.compile(
    r"(?<!not )\b(?:reduced|calibrated|instcal|resampled|stacked|co-?add(?:ed)?|science[._](?:mef)?image"
    r"|master light)\b"
    r"|(?<!un)reduced_|_reduced",
    re.I,
)
_FLAGS_OF_REDUCTION = ("CALIBRAT", "REDUCED")
# Some drivers write a camera's number into its name.
_NUMBER_IN_NAME = re.compile(r"-([0-9a-f]{12,})$", re.I)


def gain_is_setting(cards: Cards) -> bool:
    """Tell whether GAIN is the amplifier's setting and not electrons per ADU.

    It is where the electrons stand in a card of their own, where an OFFSET stands beside it as capture software
    writes both, where its comment calls it one, and where it is larger than any conversion factor; never where its
    comment says electrons.
    """
    value, text = cards.number("GAIN"), cards.text("GAIN")
    if value is None:
        # A step of the amplifier, such as 4x; a list is that of several amplifiers.
        return text is not None and re.fullmatch(r"\d+ ?x|low|high|medium|hcg|lcg", text, re.I) is not None
    if _MULTIPLYING.search(cards.comment("GAIN")):
        return True
    if _ELECTRONS.search(cards.comment("GAIN")):
        return False
    if _SETTING.search(cards.comment("GAIN")):
        return True
    has_own = cards.number("EGAIN") is not None or cards.number("OFFSET") is not None
    is_cmos = value == int(value) and any(_CMOS.search(cards.text(keyword) or "") for keyword in KEYWORDS["camera"])
    return has_own or is_cmos or value > LARGEST_PLAIN_GAIN or value <= 0


def multiplier(cards: Cards) -> str | None:
    """Return the keyword by which electrons were multiplied before they were counted; None where they were not."""
    return next((keyword for keyword in _MULTIPLIERS if (cards.number(keyword) or 0.0) > 1.0), None)


def gain_setting(cards: Cards) -> str | None:
    """Return the amplifier's setting as written, a speed of ISO among them."""
    if gain_is_setting(cards):
        return _plain(cards, "GAIN")
    return next((text for text in (_plain(cards, k) for k in KEYWORDS["gain_setting"]) if text), None)


def offset_setting(cards: Cards) -> str | None:
    """Return the setting of the amplifier's offset as written."""
    return next((text for text in (_plain(cards, k) for k in KEYWORDS["offset_setting"]) if text), None)


def serial(cards: Cards) -> str | None:
    """Return the number that tells one camera from others of its make."""
    own = cards.first_text(KEYWORDS["camera_serial"])
    named = _NUMBER_IN_NAME.search(cards.text("CAMNAME") or "")
    return own or (named[1] if named else None)


def _plain(cards: Cards, keyword: str) -> str | None:
    """A setting as text that does not depend on how its number is written."""
    number = cards.number(keyword)
    return cards.text(keyword) if number is None else f"{number:g}"


def window(cards: Cards) -> str | None:
    """Return the first pixel of the part of the detector that was read out, as its header counts; None where unsaid."""
    for x_keyword, y_keyword in WINDOW_KEYWORDS:
        x, y = cards.number(x_keyword), cards.number(y_keyword)
        if x is not None and y is not None:
            return f"{x:g},{y:g}"
    return None


def bayer_pattern(cards: Cards) -> str | None:
    """Return the colours of a mosaic's first 2 x 2 pixels; None for a camera of one colour, or planes already made."""
    for keyword in KEYWORDS["bayer_pattern"]:
        text = (cards.text(keyword) or "").upper()
        if _PATTERN.match(text) and sorted(text) == ["B", "G", "G", "R"]:
            return _shifted(text, cards)
    return None


def _shifted(pattern: str, cards: Cards) -> str:
    """The pattern from the image's own first pixel on, where the sensor's begins before it."""
    across, along = (int(cards.number(keyword) or 0) % 2 for keyword in ("XBAYROFF", "YBAYROFF"))
    return "".join(pattern[2 * ((row + along) % 2) + (column + across) % 2] for row in (0, 1) for column in (0, 1))


def pixel_unit(cards: Cards) -> str | None:
    """Return what the pixels count as BUNIT says it; None where it does not, or says something else."""
    text = cards.text("BUNIT")
    return None if text is None else next((unit for pattern, unit in _UNITS if pattern.match(text)), None)


def calibrated(cards: Cards, notes: Notes, *, is_light: bool) -> tuple[str, ...]:
    """Return what was taken off before delivery, of bias, dark and flat, in this order.

    A stack of lights is no longer the detector's; one of calibration frames is, and may hold its bias still.
    """
    done: set[str] = set()
    status = cards.text("CALSTAT") or ""
    done |= _steps_of_status(status)
    if done:
        notes.came_from("calibrated", "CALSTAT", status)
    for keyword, steps in CALIBRATED_KEYWORDS.items():
        card = cards.get(keyword)
        if card is None or card.value is False or _NOT_DONE.match((cards.text(keyword) or "T").strip()):
            continue
        done |= set(steps)
        notes.came_from("calibrated", keyword, cards.text(keyword))
    done |= _done_by_history(cards, done, notes)
    for keyword in ("RLEVEL", "REDLEVEL"):
        level = cards.number(keyword)
        if level is not None and level >= 90:
            done |= set(_ALL_STEPS)
            notes.came_from("calibrated", keyword, level)
    if is_light:
        done |= _done_by_status(cards, done, notes)
    members = members_of_stack(cards)
    if members is not None and is_light:
        done |= set(_ALL_STEPS)
        notes.doubt(
            "stack_of_exposures", "calibrated", members[0], float(members[1]),
            f"{members[0]} says that {members[1] or 'several'} exposures were added: nothing is taken off such a "
            "frame, since its "
            "pixels are no longer the detector's.",
        )  # fmt: skip
    if _FLUX.search(cards.text("BUNIT") or ""):
        done |= set(_ALL_STEPS)
        notes.came_from("calibrated", "BUNIT", cards.text("BUNIT"))
    # What counts electrons, or counts per second, has lost its zero point.
    if pixel_unit(cards) in ("electron", "electron/s", "adu/s"):
        done.add("bias")
    return tuple(step for step in _ALL_STEPS if step in done)


def _steps_of_status(status: str) -> set[str]:
    """The steps of CALSTAT: its letters, among those of other steps, or words."""
    named = {step for step in _ALL_STEPS if re.search(rf"\b{step}", status, re.I)}
    if named or not re.fullmatch(r"(?=.*[BDF])(?:[A-Z]\W*){1,6}", status.upper()):
        return named or (set(_ALL_STEPS) if _REDUCED.search(status) else set())
    return {step for step in _ALL_STEPS if step[0].upper() in status.upper()}


def _done_by_status(cards: Cards, done: set[str], notes: Notes) -> set[str]:
    """All steps, where a word about the state of the file says that it is a pipeline's result."""
    for keyword in KEYWORDS["reduction_state"]:
        text = "T" if cards.flag(keyword) else cards.text(keyword) or ""
        is_reduced = text.upper() in ("T", "TRUE", "YES") if keyword in _FLAGS_OF_REDUCTION else _REDUCED.search(text)
        if is_reduced and not done.issuperset(_ALL_STEPS):
            notes.doubt(
                "calibrated_by_word", "calibrated", keyword, text,
                f"{keyword} = {text}: bias, dark and flat were taken for taken off, though no keyword says which were.",
            )  # fmt: skip
            return set(_ALL_STEPS)
    return set()


def _done_by_history(cards: Cards, done: set[str], notes: Notes) -> set[str]:
    """The steps that only a program's own account names."""
    lines = [line.replace("_", " ").strip() for line in cards.history]
    said = [part.strip() for line in lines for part in (line, *re.split(r"[;,]", line)) if not _DENIED.search(part)]
    alone = next(filter(_CALIBRATED_ALONE.match, said), None)
    is_worded = any(words.search(part) for words in _DONE_IN_HISTORY.values() for part in said)
    more = set()
    for step, words in _DONE_IN_HISTORY.items():
        line = next(filter(words.search, said), None if is_worded else alone)
        if line is None or step in done:
            continue
        more.add(step)
        notes.doubt(
            "calibrated_by_history", "calibrated", "HISTORY", line,
            f"HISTORY says '{line}': the {step} was taken off before delivery, though no keyword says so.",
        )  # fmt: skip
    return more


def is_stacked(comment: str) -> bool:
    """Tell whether a comment speaks of exposures that were added."""
    return bool(_STACKED.search(comment))


def members_of_stack(cards: Cards) -> tuple[str, int] | None:
    """Return the keyword that says that a frame is a stack, and of how many exposures, 0 for an unknown number."""
    said = [keyword for keyword in KEYWORDS["stack_members_if_said"] if is_stacked(cards.comment(keyword))]
    for keyword in (*KEYWORDS["stack_members"], *said):
        number = cards.number(keyword)
        if number is not None and number > 1:
            return keyword, int(number)
    for card in cards.starting_with(""):
        number = cards.number(card.keyword)
        if number is not None and number > 1 and number == int(number) and _COUNT_OF_ADDED.search(card.comment):
            return card.keyword, int(number)
    # The names of the members, one card each.
    members = [card for card in cards.starting_with("IMCMB") if card.keyword[5:].isdigit()]
    if len(members) > 1:
        return members[0].keyword, len(members)
    found = next(filter(None, map(_STACK_IN_HISTORY.search, cards.history)), None)
    if found is None:
        return None
    return "HISTORY", int(found["number"] or found["after"] or found["before"] or 0)
