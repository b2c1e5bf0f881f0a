"""Headers after processing: stacks, masters and converted frames by amateurs' programs, and what is lost on the way."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.observations.numerics.fits.instruments.record import Instrument, Refusal, at

_GIVEN_TIME = datetime(2024, 3, 9, 4, 0, tzinfo=UTC)

PROCESSED: tuple[Instrument, ...] = (
    Instrument(
        name="Siril 0.9.12, converted colour frame",
        software="Siril 0.9",
        is_amateur=True,
        source="a student's FITS viewer, notes (two headers of a N.I.N.A. night); DATE-OBS is passed on from the "
        "capture "
        "and says start, DATE is when it was converted; FOCALLEN, target and filter are lost",
        cards="""
            BITPIX = 16 | BZERO = 32768. / offset data range to that of unsigned short | BSCALE = 1.
            INSTRUME = 'ZWO ASI294MC Pro' / instrument name | DATE = '2023-12-16T19:04:54' / UTC date that FITS file was
            DATE-OBS = '2021-03-21T00:08:53.7575967' / YYYY-MM-DDThh:mm:ss observation start,
            XPIXSZ = 4.63 / X pixel size microns | YPIXSZ = 4.63 / Y pixel size microns
            XBINNING = 1 / Camera binning mode | YBINNING = 1 / Camera binning mode | CCD-TEMP = -19.8 / CCD temp in C
            EXPTIME = 16. / Exposure time [s] | BAYERPAT = 'GBRG    ' / Bayer color pattern
            XBAYROFF = 0 / X offset of Bayer array | YBAYROFF = 0 / Y offset of Bayer array
            PROGRAM = 'Siril v0.9.12' / Software that created this HDU
        """,
        shape=(2822, 4144),
        given={"ra_deg": 150.0, "dec_deg": 40.0, "pixel_scale_arcsec": 2.39, "band": "L"},
        refused=Refusal(("no_band", "no_pointing"), ("--ra",)),
        expected={
            "mjd_utc": at("2021-03-21T00:08:53.758", 8.0),
            "exposure_s": 16.0,
            "ccd_temperature_c": -19.8,
            "binning": "1x1",
            "camera": "ZWO ASI294MC Pro",
        },
        within={"mjd_utc": 0.1},
    ),
    Instrument(
        name="Siril 1.2, stack of 126, solved",
        software="Siril 1.2",
        is_amateur=True,
        source="Siril's documentation, example of an Astro-TIFF header; LIVETIME is the sum of STACKCNT exposures of "
        "EXPTIME. DATE-OBS is the first one's start: without EXPEND the middle of four hours or more is not known",
        cards="""
            BITPIX = -32 | BZERO = 0 / offset data range to that of unsigned short | BSCALE = 1
            DATE = '2022-12-14T16:05:47' / UTC date that FITS file was created
            DATE-OBS = '2022-05-06T20:29:20.019000' / YYYY-MM-DDThh:mm:ss observation start,
            INSTRUME = 'ZWO CCD ASI2600MM Pro' / instrument name | TELESCOP = 'iOptron ZEQ25' / telescope used
            ROWORDER = 'TOP-DOWN' / Order of the rows in image array | XPIXSZ = 3.76 / X pixel size microns
            YPIXSZ = 3.76 / Y pixel size microns | XBINNING = 1 / Camera binning mode | YBINNING = 1 / Camera binning
            FOCALLEN = 370.092 / Camera focal length | CCD-TEMP = -9.8 / CCD temp in C | EXPTIME = 120 / Exposure time
            STACKCNT = 126 / Stack frames | LIVETIME = 15120 / Exposure time after deadtime correction
            FILTER = 'Lum     ' / Active filter name | IMAGETYP = 'Light Frame' / Type of image
            GAIN = 100 / Camera gain | OFFSET = 50 / Camera offset
            CTYPE1 = 'RA---TAN' / Coordinate type for the first axis | CTYPE2 = 'DEC--TAN' / Coordinate type
            CUNIT1 = 'deg     ' / Unit of coordinates | CUNIT2 = 'deg     ' / Unit of coordinates
            EQUINOX = 2000 / Equatorial equinox | OBJCTRA = '09 39 54.932' / Image center Right Ascension (hms)
            OBJCTDEC = '+70 00 10.118' / Image center Declination (dms)
            RA = 144.979 / Image center Right Ascension (deg) | DEC = 70.0028 / Image center Declination (deg)
            CRPIX1 = 3123.5 / Axis1 reference pixel | CRPIX2 = 2088.5 / Axis2 reference pixel
            CRVAL1 = 144.979 / Axis1 reference value (deg) | CRVAL2 = 70.0028 / Axis2 reference value (deg)
            CD1_1 = -0.000580606 / Scale matrix (1, 1) | CD1_2 = -4.12215E-05 / Scale matrix (1, 2)
            CD2_1 = -4.11673E-05 / Scale matrix (2, 1) | CD2_2 = 0.000580681 / Scale matrix (2, 2)
            PLTSOLVD = T / Siril internal solve | HISTORY Background extraction (Correction: Subtraction)
        """,
        shape=(4176, 6248),
        expected={
            "kind": "light",
            "sky": (144.977302, 70.002759, 2.0),
            "pixel_scale_arcsec": 2.09557,
            "filter_band": "L",
            "gain_e_per_adu": None,
            "gain_setting": 100.0,
            "offset_setting": 50.0,
            "ccd_temperature_c": -9.8,
            "wcs_quality": "header",
        },
        doubted=("time",),
    ),
    Instrument(
        name="Astro Pixel Processor, integration of lights",
        software="Astro Pixel Processor 1",
        is_amateur=True,
        source="PhotonFinder, sample headers; DATE is when the integration was made, weeks later perhaps: no time of "
        "observation. GAIN 0.0 is a setting or nothing",
        cards="""
            BITPIX = -32 | BSCALE = 1.0 / scale factor | BZERO = 0.0 / no offset
            DATE = '2018-08-20T11:28:45' / creation date of Integration
            SOFTWARE = 'Astro Pixel Processor by Aries Productions' / software
            INTEGRAT = 'Integration' / integration of light frames | CFAIMAGE = 'no      ' / Color Filter Array pattern
            GAIN = 0.0 / gain or ISO depending on instrument | EXPTIME = 900.0 / exposure time (s)
            LOK-1 = ' 9,78E-03' / lokation of channel 1 | NOISE-1 = ' 9,41E-04' / noise level of channel 1
        """,
        shape=(2674, 4009),
        given={
            "ra_deg": 150.0,
            "dec_deg": 40.0,
            "pixel_scale_arcsec": 2.0,
            "band": "L",
            "observation_time": _GIVEN_TIME,
        },
        refused=Refusal(("no_time",), ("--time",)),
        expected={"kind": "light", "exposure_s": 900.0, "gain_e_per_adu": None},
    ),
    Instrument(
        name="Astro Pixel Processor, master flat",
        software="Astro Pixel Processor 2",
        is_amateur=True,
        source="PhotonFinder, sample headers; CALFRAME says what it is, IMAGETYP is not written; FILT-1 is the filter; "
        "values of 0 to 1; made of 30",
        cards="""
            BITPIX = -32 | BSCALE = 1.0 / scale factor | BZERO = 0.E0 / no offset
            DATE = '2024-03-09T11:57:12' / creation date of MasterFlat
            SOFTWARE = 'Astro Pixel Processor by Aries Productions' / software
            CALFRAME = 'MasterFlat' / master flat frame | INSTRUME = 'ZWO ASI294MC Pro' / instrument name
            CFAIMAGE = 'RGGB    ' / Color Filter Array pattern | ROWORDER = 'TOP-DOWN' / Order of pixel rows stored
            EXPTIME = 1.28 / exposure time (s) | GAIN = 120.0 / gain or ISO depending on instrument
            FILTNUM = 1 / data combined from 1 filter | FILT-1 = 'HaOIII  ' / filter used
            LOK-R = 1.8618245423E-1 / lokation of channel-R | NUMFRAME = 30 / # number of frames used in MasterFlat
        """,
        shape=(2822, 4144),
        given={"band": "HaOIII", "observation_time": _GIVEN_TIME},
        refused=Refusal(("no_time", "no_band"), ("flat", "--time")),
        expected={
            "kind": "flat",
            "exposure_s": 1.28,
            "filter_band": "HaOIII",
            "gain_e_per_adu": None,
            "gain_setting": 120.0,
            "bayer_pattern": "RGGB",
            "camera": "ZWO ASI294MC Pro",
        },
    ),
    Instrument(
        name="iTelescope premium image, stripped",
        software="iTelescope premium",
        is_amateur=True,
        source="AstroPhotography, notes on metadata; the file is called Calibrated-…, its header says neither that nor "
        "when nor where",
        cards="""
            BITPIX = -32 / array data type | OWNER = 'iTelescope'
            GAIN = 1.31 / gain or ISO depending on instrument | EXPTIME = 900.0 / Exposure time in seconds
            FILTER = 'Red     ' / Filter type used | HIERARCH OBSTARGET = 'Whale Galaxy NGC 55' / Object imaged
            SRCLINK = 'obqgw8i8' / Original source file ID
        """,
        shape=(4096, 4096),
        given={"ra_deg": 3.72, "dec_deg": -39.2, "pixel_scale_arcsec": 1.1, "observation_time": _GIVEN_TIME},
        refused=Refusal(("no_time",), ("--time", "--ra")),
        expected={"kind": "light", "exposure_s": 900.0, "filter_band": "Red"},
    ),
    Instrument(
        name="Siril 1.4, stack with the Julian Dates of its span",
        software="Siril 1.4",
        is_amateur=True,
        source="Siril, merge request 143, and VaST, gettime (values are ours): EXPSTART and EXPEND are Julian Dates "
        "of the "
        "first exposure's start and the last one's end; DATE-OBS is the reference frame's; LIVETIME is shorter",
        cards="""
            BITPIX = -32 | BZERO = 0 | BSCALE = 1 | PROGRAM = 'Siril 1.4.4' / Software that created this HDU
            DATE = '2026-02-01T09:00:00' / UTC date that FITS file was created
            DATE-OBS = '2026-01-31T19:10:00.000' / YYYY-MM-DDThh:mm:ss observation start,
            EXPSTART = 2461072.29166667 / Exposure start time (standard Julian date)
            EXPEND = 2461072.41666667 / Exposure end time (standard Julian date)
            EXPTIME = 60 / Exposure time [s] | STACKCNT = 150 / Stack frames | LIVETIME = 9000 / Exposure time after
            INSTRUME = 'ZWO ASI533MM Pro' / instrument name | FOCALLEN = 530 / Camera focal length
            XPIXSZ = 3.76 / X pixel size microns | XBINNING = 1 / Camera binning mode | FILTER = 'G       ' / Active
            IMAGETYP = 'Light Frame' / Type of image | RA = 120.25 / Image center Right Ascension (deg)
            DEC = 30.5 / Image center Declination (deg) | HISTORY mean stacking with winsorized sigma clipping
        """,
        shape=(3008, 3008),
        expected={
            "kind": "light",
            "mjd_utc": at("2026-01-31T20:30:00"),
            "sky": (120.25, 30.5, 1.0),
            "pixel_scale_arcsec": 1.46330,
            "filter_band": "G",
        },
        within={"mjd_utc": 2.0},
    ),
)
