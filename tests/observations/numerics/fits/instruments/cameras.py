"""Headers by makers' own programs and by robots: cameras that call a setting gain, a saturation DATAMAX, a west "
"positive."""

from __future__ import annotations

from tests.observations.numerics.fits.instruments.record import Instrument, Refusal, at

_UNPLACED = ("no_band", "no_pointing")

CAMERAS: tuple[Instrument, ...] = (
    Instrument(
        name="N.I.N.A. 3, a dark for flats",
        software="N.I.N.A. 3.1",
        is_amateur=True,
        source="N.I.N.A., image types of CaptureSequence: DARKFLAT is a dark of a flat's exposure; the filter in the "
        "beam "
        "is written all the same",
        cards="""
            BITPIX = 16 | BZERO = 32768 | IMAGETYP = 'DARKFLAT' / Type of exposure | EXPOSURE = 1.5 / [s] Exposure
            EXPTIME = 1.5 / [s] Exposure duration | DATE-LOC = '2025-01-10T08:00:00.100' / Time of observation (local)
            DATE-OBS = '2025-01-10T07:00:00.100' / Time of observation (UTC) | XBINNING = 1 | YBINNING = 1
            GAIN = 100 / Sensor gain | OFFSET = 50 / Sensor gain offset | EGAIN = 0.244 / [e-/ADU] Electrons per A/D
            INSTRUME = 'ZWO ASI2600MM Pro' / Imaging instrument name | CCD-TEMP = -10.0 / [degC] CCD temperature
            FILTER = 'L' / Active filter name | OBJECT = 'FlatWizard' / Name of the object of interest
            SWCREATE = 'N.I.N.A. 3.1.2.9001 (x64)' / Software that created this file
        """,
        shape=(4176, 6248),
        expected={
            "kind": "dark",
            "mjd_utc": at("2025-01-10T07:00:00.1", 0.75),
            "exposure_s": 1.5,
            "gain_e_per_adu": 0.244,
            "gain_setting": 100.0,
            "offset_setting": 50.0,
            "ccd_temperature_c": -10.0,
            "calibrated": (),
        },
        within={"mjd_utc": 0.01},
    ),
    Instrument(
        name="ASIAIR Plus",
        software="ASIAIR Plus",
        is_amateur=True,
        source="an organiser of frames in Ruby, factory of test files after an ASIAIR's header; TELESCOP is the "
        "mount, the "
        "gain is in tenths of a decibel, neither filter nor place nor focal length is there",
        cards="""
            BITPIX = 16 | BZERO = 32768 | CREATOR = 'ZWO ASIAIR Plus' / Capture software | IMAGETYP = 'Light'
            EXPOSURE = 300.0 | EXPTIME = 300.0 | CCD-TEMP = -10.0 | XBINNING = 1 | YBINNING = 1
            INSTRUME = 'ZWO ASI183MC Pro' | TELESCOP = 'EQMod Mount' | OBJECT = '68 Cygni' | GAIN = 111
            BAYERPAT = 'RGGB' | DATE-OBS = '2025-09-08T02:46:15.614262'
        """,
        shape=(3672, 5496),
        given={"ra_deg": 315.0, "dec_deg": 43.9, "pixel_scale_arcsec": 1.98, "band": "L"},
        refused=Refusal(_UNPLACED, ("--ra",)),
        expected={
            "kind": "light",
            "mjd_utc": at("2025-09-08T02:46:15.614", 150.0),
            "exposure_s": 300.0,
            "gain_e_per_adu": None,
            "gain_setting": 111.0,
            "ccd_temperature_c": -10.0,
            "bayer_pattern": "RGGB",
            "camera": "ZWO ASI183MC Pro",
        },
    ),
    Instrument(
        name="ASIStudio ASIImg 4.4, filter called None",
        software="ASIStudio ASIImg 4.4",
        is_amateur=True,
        source="a suite of header fixtures after ZWO's documentation; the filter's name is the word None, the gain is "
        "a "
        "setting of 0 to 570",
        cards="""
            BITPIX = 16 | BZERO = 32768 | CREATOR = 'ZWO ASIStudio ASIImg 4.4' / Capture software
            IMAGETYP = 'Light' / Type of image | EXPTIME = 300.0 / [s] Exposure time
            DATE-OBS = '2026-02-19T01:12:40.000' / Time of observation (UTC) | INSTRUME = 'ZWO ASI294MM Pro' / Camera
            XBINNING = 2 / X binning | YBINNING = 2 / Y binning | GAIN = 300 / Gain (ZWO unitless 0-570 scale)
            OFFSET = 30 / Offset | SET-TEMP = -15.0 / [degC] Cooler setpoint | CCD-TEMP = -14.8 / [degC] Sensor
            FILTER = 'None' / Filter name | OBJECT = 'IC 434' / Target name
        """,
        shape=(2822, 4144),
        given={"ra_deg": 85.25, "dec_deg": -2.45, "pixel_scale_arcsec": 2.1},
        refused=Refusal(("no_pointing",), ("--ra",)),
        expected={
            "mjd_utc": at("2026-02-19T01:12:40", 150.0),
            "filter_band": "Clear",
            "binning": "2x2",
            "gain_e_per_adu": None,
            "gain_setting": 300.0,
            "offset_setting": 30.0,
            "ccd_temperature_c": -14.8,
        },
    ),
    Instrument(
        name="pyscope, a gain that is called electronic",
        software="pyscope",
        is_amateur=True,
        source="pyscope's archive tools, test header (time and place are ours); GAIN is the camera's setting though "
        "its "
        "comment begins with electron; OFFSET is an empty string; the serial number stands in the camera's name",
        cards="""
            BITPIX = 16 | BZERO = 32768 | SWCREATE = 'pyscope' / Software used to create file
            DATE-OBS = '2026-06-29T05:00:00.5' / UTC start of exposure | EXPTIME = 64.0 / Exposure time [s]
            GAIN = 56 / Electronic gain | OFFSET = '' / Image offset | CCD-TEMP = -0.1 / Camera temperature [C]
            SET-TEMP = -0.0 / Camera temperature setpoint [C] | CAMNAME = 'QHY600MPCIE-ec89ab488ac5aca73' / Name of
            FILTER = 'lrg' / Filter | RA = '16:00:00' / RA J2000 | DEC = '+25:00:00' / Dec J2000 | PIXSCALE = 0.45
        """,
        shape=(6388, 9576),
        expected={
            "mjd_utc": at("2026-06-29T05:00:00.5", 32.0),
            "sky": (240.0, 25.0, 1.0),
            "gain_e_per_adu": None,
            "gain_setting": 56.0,
            "offset_setting": None,
            "filter_band": "lrg",
            "ccd_temperature_c": -0.1,
        },
        within={"mjd_utc": 0.1},
    ),
    Instrument(
        name="CCDOPS 5.47, saturation called DATAMAX",
        software="CCDOPS 5.47",
        is_amateur=True,
        source="msumastro, test data; the comments say that DATE-OBS is the start in GMT, DATAMAX the saturation "
        "level and "
        "PEDESTAL to be added; no place; without IMAGETYP it is a light",
        cards="""
            BITPIX = 16 | OBJECT = '        ' / | TELESCOP = 'DFM 16  ' | INSTRUME = 'SBIG ST-7'
            DATE-OBS = '2013-01-28T03:08:12.000' / GMT START OF EXPOSURE | BZERO = +3.276800000000E+004 /
            BSCALE = +1.000000000000E+000 / | EXPTIME = +1.000000000000E+001 / EXPOSURE IN SECONDS
            CCD-TEMP = +4.455891600369E+000 / CCD TEMP IN DEGREES C | XPIXSZ = +9.000000000000E+000 / PIXEL WIDTH
            XBINNING = 1 / HORIZONTAL BINNING FACTOR | YBINNING = 1 / VERTICAL BINNING FACTOR
            EGAIN = +1.740000000000E+000 / ELECTRONS PER ADU | FOCALLEN = +3.251200000000E+003 / FOCAL LENGTH IN MM
            PEDESTAL = -100 / ADD TO ADU FOR 0-BASE | DATAMAX = 65535 / SATURATION LEVEL
            SWACQUIR = 'WinOPS Ver 5.47 Build 6-NT' / DATA ACQ SOFTWARE | FILTER = 'None    ' / OPTICAL FILTER NAME
            SWCREATE = 'SBIG Win CCDOPS Version 5.47 Build 6-NT' | SNAPSHOT = 1 / NUMBER IMAGES COADDED
            DATE = '2013-01-28' / GMT DATE WHEN THIS FILE CREATED | NOTE = 'Local time:1/27/2013 at 21:08:12'
        """,
        shape=(510, 765),
        given={"ra_deg": 50.0, "dec_deg": 40.0},
        refused=Refusal(("no_pointing",), ("--ra",)),
        expected={
            "kind": "light",
            "mjd_utc": at("2013-01-28T03:08:12", 5.0),
            "exposure_s": 10.0,
            "pixel_scale_arcsec": 0.570983,
            "filter_band": "Clear",
            "gain_e_per_adu": 1.74,
            "saturation": 65535.0,
            "pedestal_adu": -100.0,
            "ccd_temperature_c": 4.4559,
            "camera": "SBIG ST-7",
        },
    ),
    Instrument(
        name="TheSkyX 10.5, a light",
        software="TheSkyX 10.5",
        is_amateur=True,
        source="asteroid2713, data of the Wallace observatory; UTC of the start by its comment; 71.5 degrees west "
        "written "
        "as +71 (LST agrees); OBJCTRA lies 67 s from LST less TELEHA: it is of 2000",
        cards="""
            BITPIX = 16 | BZERO = 32768 | BSCALE = 1 | TELESCOP = 'C14     ' / SBIGFITSEXT The model Telescope
            FOCALLEN = 3910. / SBIGFITSEXT Telescope focal length in mm | EXPTIME = 240. / SBIGFITSEXT Total exposure
            SWCREATE = 'TheSkyX Version 10.5.0 Build 11587' / SBIGFITSEXT Name & version of s
            PICTTYPE = 1 / Image type as index 0= Unknown 1=Light, 2=Bias, | IMAGETYP = 'Light Frame' / SBIGFITSEXT
            XBINNING = 1 / SBIGFITSEXT Binning factor in width | YBINNING = 1 / SBIGFITSEXT Binning factor in height
            EXPSTATE = 293 | EGAIN = 2.07 / SBIGFITSEXT Electronic gain in e- per ADU
            CCD-TEMP = -19.1012912798706 / SBIGFITSEXT Temperature of the CCD
            SITELAT = '+42 36 36.00' / SBIGFITSEXT Latitude of the imaging location
            SITELONG = '+71 29 06.00' / SBIGFITSEXT Longitude of the imaging location
            LST = '+00 02 10.10' / Local sidereal time | AIRMASS = 1.72777544238463 / Airmass of the telescope
            TELEHA = '-04 09 05.97' / Telescope hour angle
            OBJCTRA = '04 10 08.801' / SBIGFITSEXT The right ascension of the center o
            OBJCTDEC = '+22 50 22.54' / SBIGFITSEXT The declination of the center of th
            OBJECT = '2713 Luxembourg' / SBIGFITSEXT The name of the object imaged
            INSTRUME = 'SBIG STL-1001 3 CCD Camera' / SBIGFITSEXT The model camera used.
            XPIXSZ = 24. / SBIGFITSEXT Pixel width in microns after binnin
            PEDESTAL = -100 / SBIGFITSEXT Add this count to each pixel value
            FILTER = 'Open    ' / SBIGFITSEXT The optical filter used to take ima
            DATE-OBS = '2018-10-18T03:01:53.784' / SBIGFITSEXT UTC of start exp. in ISO 8601
            LOCALTIM = '10/17/2018 11:01:53.780 PM DST' / Local time at exposure start
        """,
        shape=(1024, 1024),
        expected={
            "kind": "light",
            "mjd_utc": at("2018-10-18T03:01:53.784", 120.0),
            "exposure_s": 240.0,
            "sky": (62.53667, 22.8396, 1.0),
            "pixel_scale_arcsec": 1.26608,
            "filter_band": "Clear",
            "gain_e_per_adu": 2.07,
            "pedestal_adu": -100.0,
            "site_latitude_deg": 42.61,
            "site_longitude_deg": -71.485,
            "ccd_temperature_c": -19.10129,
            "airmass": 1.7277754,
        },
    ),
)
