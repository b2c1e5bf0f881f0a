"""Headers of observatories: each with a dialect of its own, most with a manual."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.observations.numerics.fits.instruments.record import Instrument, Refusal, at

OBSERVATORIES: tuple[Instrument, ...] = (
    Instrument(
        name="Las Cumbres 1 m, reduced by the pipeline of 2015",
        software="Las Cumbres ICS, LCOPIPE",
        is_amateur=False,
        source="Las Cumbres ingester, test files; L1STATxx = 1 says what was taken off. LBOUND = 11: TRIMSEC and "
        "DATASEC "
        "are those of the raw grid, 2048 wide, and were applied already. ALTITUDE is an axis, HEIGHT the site's",
        cards="""
            BITPIX = -32 | LBOUND1 = 11 / Pixel origin along axis 1 | LBOUND2 = 11 / Pixel origin along axis 2
            OBJECT = 'M84     ' / Title of the dataset | BSCALE = 1.0 | BZERO = 0.0 | TELESCOP = '1m0-11  ' / The Name
            LATITUDE = -31.2727986 / [deg North] Telescope Latitude | LONGITUD = 149.0708771 / [deg East] Telescope
            HEIGHT = 1165.0 / [m] Altitude of Telescope above sea level
            OBSGEO-X = -4681333.29 / [m] Cartesian X co-ord of telescope (WGS84)
            OBSTYPE = 'EXPOSE  ' / Observation type | TIMESYS = 'UTC     ' / Time system used
            DATE-OBS = '2015-02-19T13:56:05.261' / Date of observation
            UTSTART = '13:56:05.261' / [UTC] The start time of the observation
            UTSTOP = '13:56:16.589' / [UTC] The finish time of the observation
            MJD-OBS = 57072.58061644676 / Modified Julian Date of observation | EXPTIME = 10.0 / [s] Exposure length
            FILTER1 = 'air     ' / The first filter wheel filter type | FILTER3 = 'V       ' / The third filter wheel
            FILTER = 'V       ' / Filter used | INSTRUME = 'kb05    ' / Instrument used
            DETECTID = 'ccdkb05-1' / Detector serial number | GAIN = 1.4 / [electrons/count] Pixel gain
            RDNOISE = 13.5 / [electrons/pixel] Read noise | SATURATE = 46000 / [ADU] Saturation level used
            CCDSUM = '2 2     ' / CCD on-chip summing/binning | BIASSEC = 'UNKNOWN ' / [binned pixel] Section of bias
            DATASEC = '[1:2048,1:2048]' / [binned pixel] Data section
            TRIMSEC = '[11:2037,11:2037]' / [binned pixel] Section of useful data
            PIXSCALE = 0.467 / [arcsec/pixel] Nominal pixel scale on sky | CCDATEMP = -20.03 / [deg C] CCD actual
            RA = '12:25:03.844' / [HH:MM:SS.sss] RA where telescope is pointing
            DEC = '+12:53:13.04' / [sDD:MM:SS.ss] Dec where telescope is pointing
            RADESYS = 'ICRS    ' / [[FK5,ICRS]] Fundamental coord. system of the o
            LST = '09:49:09.31' / [HH:MM:SS.ss] LST at start of current observati
            AZIMUTH = 46.6348792 / [deg] Azimuth axis position | ALTITUDE = 32.0808821 / [deg] Altitude axis position
            ROTSKYPA = 0.0 / [deg] Rotator position angle | AIRMASS = 1.8776222 / Effective mean airmass
            CTYPE1 = 'RA---TAN' | CTYPE2 = 'DEC--TAN' | CRPIX1 = 1050.921394 | CRPIX2 = 1059.936378
            CRVAL1 = 186.26457553993 | CRVAL2 = 12.8857020644175 | CD1_1 = -1.3079490009549E-4
            CD1_2 = 5.53972210621894E-7 | CD2_1 = -7.9049560521924E-7 | CD2_2 = -1.3050184006692E-4
            QV1_0 = 0.0 / Projection parameter | QV1_1 = 1.0 / Projection parameter
            SECPIX = 0.470341 / [arcsec/pixel] Fitted pixel scale on sky
            L1STATBI = 1 / Status flag for bias frame correction | L1STATDA = 1 / Status flag for dark frame correction
            L1STATTR = 1 / Status flag for overscan trimming | L1STATFL = 1 / Status flag for flat frame correction
        """,
        shape=(2027, 2027),
        expected={
            "kind": "light",
            "mjd_utc": at("2015-02-19T13:56:05.261", 5.0),
            "exposure_s": 10.0,
            "sky": (186.269503, 12.891726, 1.0),
            "pixel_scale_arcsec": 0.47034,
            "filter_band": "V",
            "gain_e_per_adu": 1.4,
            "read_noise_e": 13.5,
            "saturation": 46000.0,
            "binning": "2x2",
            "ccd_temperature_c": -20.03,
            "biassec": None,
            "trimsec": None,
            "camera": "kb05",
            "camera_serial": "ccdkb05-1",
            "calibrated": ("bias", "dark", "flat"),
            "site_latitude_deg": -31.2728,
            "site_longitude_deg": 149.07088,
            "site_height_m": 1165.0,
            "airmass": 1.8776222,
        },
    ),
    Instrument(
        name="Las Cumbres Sinistro, one amplifier of a raw frame",
        software="Las Cumbres ICS",
        is_amateur=False,
        source="Las Cumbres ingester, test files; GAIN is a list of four amplifiers' gains as text, BIASSEC unknown, "
        "DATASEC and TRIMSEC those of the whole detector, unbinned, on a frame of 1040 x 1024",
        cards="""
            BITPIX = -32 / [bits] Bits per pixel | TELESCOP = '1m0-12  ' / The Name of the Telescope
            LATITUDE = -32.3829000 / [deg North] Telescope Latitude | LONGITUD = 20.8125200 / [deg East] Telescope
            HEIGHT = 1695.000 / [m] Altitude of Telescope above sea level | OBSTYPE = 'EXPOSE  ' / Observation type
            TIMESYS = 'UTC     ' / Time system used | DATE = '2015-12-16' / [UTC] Date this FITS file was written
            DATE-OBS = '2015-12-16T18:20:48.907' / [UTC] Start date and time of the observati
            UTSTART = '18:20:48.907' / [UTC] The start time of the observation
            UTSTOP = '18:21:03.907' / [UTC] The finish time of the observation
            MJD-OBS = 57372.7644094 / [UTC days] Start date/time (Modified Julian Dat
            EXPTIME = 15.0000000 / [s] Exposure length | FILTER = 'ip      ' / Filter used
            INSTRUME = 'fl10    ' / Instrument used | DETECTID = 'DB61    ' / Detector serial number
            GAIN = '[3.3,3.4,3.3,3.4]' / [electrons/count] Pixel gain | RDNOISE = 14.9000000 / [electrons/pixel] Read
            SATURATE = 47500.0000000 / [ADU] Saturation level | CCDSUM = '2 2     ' / CCD on-chip summing/binning
            BIASSEC = 'UNKNOWN ' / [binned pixel] Section of bias/overscan data
            DATASEC = '[1:4094,1:4096]' / [binned pixel] Data section
            TRIMSEC = '[1:4096,1:4096]' / [binned pixel] Section of useful data
            PIXSCALE = 0.7780000 / [arcsec/pixel] Nominal pixel scale on sky | CCDATEMP = -99.9891510 / [deg C] CCD
            RA = '01:24:11.435' / [HH:MM:SS.sss] RA where telescope is pointing
            DEC = '-32:22:57.34' / [sDD:MM:SS.ss] Dec where telescope is pointing
            RADESYS = 'ICRS    ' / Fundamental coord. system of the o | ALTITUDE = 89.8441074 / [deg] Altitude axis
        """,
        shape=(1024, 1040),
        expected={
            "mjd_utc": at("2015-12-16T18:20:48.907", 7.5),
            "exposure_s": 15.0,
            "sky": (21.0476458, -32.3825944, 1.0),
            "pixel_scale_arcsec": 0.778,
            "filter_band": "i",
            "read_noise_e": 14.9,
            "saturation": 47500.0,
            "binning": "2x2",
            "biassec": None,
            "trimsec": None,
            "camera_serial": "DB61",
            "site_height_m": 1695.0,
            "ccd_temperature_c": -99.98915,
            "calibrated": (),
        },
        disputed=("time",),
    ),
    Instrument(
        name="Liverpool Telescope RISE, integers rescaled",
        software="Liverpool Telescope, DP(RT)",
        is_amateur=False,
        source="py-hotpants, test data; SATURATN is in counts before BSCALE; EXPEPOCH is the end; MRSTART that of the "
        "whole series; L1STATxx = 1 says what was taken off",
        cards="""
            BITPIX = 16 | DATE = '2020-08-30' / Exposure start | DATE-OBS = '2020-08-30T22:27:01.067' / Date of
            UTSTART = '22:27:01.067' / Start of observation | MJD = 59091.935429
            MRSTART = '2020-08-30T21:36:59.101' / Time of start of Multrun
            CCDATEMP = -40.769 / CCD Temperature at START of multrun
            EXPTIME = 60.0000 / Andor Corrected (true) exposure time
            EXPEPOCH = '2020-08-30T22:28:02.199' / Actual end of exposure time | CCDXBIN = 1 / [pixels] X binning factor
            CCDYBIN = 1 / [pixels] Y binning factor | OBSTYPE = 'EXPOSE  '
            RA = '16:53:59.913' / World coordinate at the reference pixel
            DEC = '+62:55:23.89' / World coordinate at the reference pixel | LATITUDE = 28.7624 / Latitude of telescope
            LONGITUD = -17.8792 / Longitude of telescope | AIRMASS = 1.3044 / The airmass
            TELESCOP = 'Liverpool Telescope' | LST = ' 19:3:29.00' / [hours] As retrieved from the TCS
            INSTRUME = 'RISE    ' / Instrument | GAIN = 2.4000000 / [unknown] | READNOIS = 12.0000000 / [unknown]
            FILTER1 = 'og515+kg5' / Name of filter type | CCDSCALE = 0.5376 / arcsec/pix unbinned
            RADECSYS = 'FK5     ' | EQUINOX = 2000. | FILTER2 = 'Dummy   ' | BZERO = 14192.7216222425
            BSCALE = 0.436166651012805 | SATURATN = 63433 / [ADU] Approx saturation level
            PIXSCALE = 0.5376 / [arcsec/pixel] Nominal pixel scale on sky
            L1STATZE = 1 / Status flag for DP(RT) bias frame (zero) correc
            L1STATDA = 1 / Status flag for DP(RT) dark frame correction
            L1STATFL = 1 / Status flag for DP(RT) flatfield correction
        """,
        shape=(1026, 1030),
        expected={
            "mjd_utc": at("2020-08-30T22:27:01.067", 30.0),
            "exposure_s": 60.0,
            "sky": (253.49964, 62.9233, 1.0),
            "pixel_scale_arcsec": 0.5376,
            "filter_band": "og515+kg5",
            "gain_e_per_adu": 2.4,
            "read_noise_e": 12.0,
            "saturation": 63433.0,
            "saturation_unit": "raw_adu",
            "binning": "1x1",
            "ccd_temperature_c": -40.769,
            "calibrated": ("bias", "dark", "flat"),
            "site_longitude_deg": -17.8792,
        },
    ),
    Instrument(
        name="MicroObservatory, local time and longitude westward",
        software="MicroObservatory",
        is_amateur=False,
        source="EXOTIC, sample data; DATE-OBS carries its offset from UTC, MJD-OBS only a minute's precision, LONGITUD "
        "counts westward (RA + HA agrees, LST-OBS is of nowhere); the camera is in kelvin, the RA in degrees",
        cards="""
            BITPIX = 16 | EQUINOX = 2000.0 / Epoch of celestial coordinate system used
            DATE-OBS = '2017-12-19T18:45:12.242-0700' / Start date & time of observation, LT
            DATE-END = '2017-12-19T18:46:14.204-0700' / End date & time of observation, LT
            LST-OBS = '17:15:54' / Local mean sidereal time at start of observation
            UT-OBS = '2017-12-20T01:45:12.242-0000' / Universal Time at start of obs.
            MJD-OBS = 58107.073 / Modified Julian Date (MJD) at start of observation | OBJECT = 'HATP-32 '
            EXPTIME = 060.00 / Exposure time in Seconds | RA = 31.312099 / 02:05.25 Right Ascension
            HA = 332.942433 / 22:11.77 Hour Angle | DEC = 46.769087 / +46:46.15 Declination
            INSTRUME = 'Main    ' / Camera selected | FILTER = 'Clear   ' / Filter chosen
            IM_SCALE = 5.210 / Image scale in arc-secs/pixel | CAMTEMP = 272.0 / CCD Camera Temperature in Kelvin, =-1
            TELESCOP = 'Cecilia ' / Telescope name | LATITUDE = 31.68 / Local latitude | LONGITUD = 110.88 / Local
            CREATOR = 'MicroObservatory2014-05-23' / Version of current FITS document
        """,
        shape=(500, 650),
        expected={
            "kind": "light",
            "mjd_utc": at("2017-12-20T01:45:12.242", 30.0),
            "exposure_s": 60.0,
            "sky": (31.312099, 46.769087, 2.0),
            "pixel_scale_arcsec": 5.21,
            "filter_band": "Clear",
            "ccd_temperature_c": -1.15,
            "site_latitude_deg": 31.68,
            "site_longitude_deg": -110.88,
        },
    ),
    Instrument(
        name="PANOPTES, a reflex camera",
        software="PANOPTES POCS 0.1",
        is_amateur=False,
        source="panoptes-utils, test data, and POCS, issue 503: DATE-OBS is the camera's own clock and may be wrong; "
        "the "
        "file is named 48 s later. FILTER holds the mosaic's pattern, ISO the gain, CAMTEMP a number with its unit",
        cards="""
            BITPIX = 16 | BZERO = 32768 | BSCALE = 1 | ISO = 100 | EXPTIME = 120.4 | CAMTEMP = '13 C    ' / Celsius -
            DATE-OBS = '2016-09-09T08:14:34' | FILENAME = '20160909T081522.cr2' / From CR2
            CAMSN = '012070048413' / From CR2 | WHTLVLN = 11765 / From CR2 | WHTLVLS = 12277 / From CR2
            FIELD = 'KIC 8462852' | RA-MNT = 301.56439 / Degrees | HA-MNT = 1.03388073074251 / Degrees
            DEC-MNT = 44.456875 / Degrees | AIRMASS = 1.133153126390357 / Sec(z) | FILTER = 'RGGB    '
            LAT-OBS = 19.54 / Degrees | LONG-OBS = -155.58 / Degrees | ELEV-OBS = 3400.0 / Meters
            CREATOR = 'POCSv0.1.1' / POCS Software version | INSTRUME = 'XXXXXX  ' / Camera ID
            CTYPE1 = 'RA---TAN-SIP' | CTYPE2 = 'DEC--TAN-SIP' | EQUINOX = 2000.0 | LONPOLE = 180.0 | LATPOLE = 0.0
            CRVAL1 = 303.206422334 | CRVAL2 = 46.0173987483 | CRPIX1 = 350.5 | CRPIX2 = 350.5
            CD1_1 = -2.51615660758E-05 | CD1_2 = 0.00286295836886 | CD2_1 = 0.00287017596206
            CD2_2 = 1.41320746092E-05 | A_ORDER = 2 | A_0_2 = 1.53478151736E-05 | A_1_1 = -5.4943632577E-06
            A_2_0 = -1.3227051169E-05 | B_ORDER = 2 | B_0_2 = -9.30333453542E-06 | B_1_1 = 6.91952312078E-06
            B_2_0 = -9.00181169103E-06
        """,
        shape=(700, 700),
        expected={
            "mjd_utc": at("2016-09-09T08:14:34", 60.2),
            "exposure_s": 120.4,
            "sky": (303.206422, 46.017399, 2.0),
            "pixel_scale_arcsec": 10.3199,
            "gain_e_per_adu": None,
            "bayer_pattern": "RGGB",
            "camera_serial": "012070048413",
            "ccd_temperature_c": 13.0,
            "site_latitude_deg": 19.54,
            "site_longitude_deg": -155.58,
            "site_height_m": 3400.0,
        },
        within={"mjd_utc": 60.0},
    ),
    Instrument(
        name="Kitt Peak 1987, two-digit year and two epochs",
        software="IRAF ccmap on a frame of 1987",
        is_amateur=False,
        source="IRAF, help of ccmap; DATE-OBS is day/month/year of the 20th century and no time of day is given; EPOCH "
        "is the pointing's equinox, EQUINOX that of the world coordinates",
        cards="""
            BITPIX = 16 | DATE-OBS = '05/04/87' / DATE DD/MM/YY | RA = '13:29:24.00' / RIGHT ASCENSION
            DEC = '47:15:34.00' / DECLINATION | EPOCH = 1987.26 / EPOCH OF RA AND DEC | RADECSYS = 'FK5     '
            EQUINOX = 2000. | MJD-WCS = 51544.5 | WCSDIM = 2 | CTYPE1 = 'RA---TAN' | CTYPE2 = 'DEC--TAN'
            CRVAL1 = 202.471969550729 | CRVAL2 = 47.1967667056819 | CRPIX1 = 250.255619786203
            CRPIX2 = 266.308757328719 | CD1_1 = -2.1224568721716E-4 | CD1_2 = -3.8136850875221E-6
            CD2_1 = -3.2384199624421E-6 | CD2_2 = 2.12935798198448E-4 | LTM1_1 = 1. | LTM2_2 = 1.
            WAT0_001 = 'system=image' | WAT1_001 = 'wtype=tan axtype=ra' | WAT2_001 = 'wtype=tan axtype=dec'
        """,
        shape=(512, 512),
        given={"band": "B", "exposure_s": 600.0, "observation_time": datetime(1987, 4, 5, 6, 0, tzinfo=UTC)},
        refused=Refusal(("no_time",), ("DATE-OBS",)),
        expected={
            "mjd_utc": at("1987-04-05T06:00:00", 300.0),
            "sky": (202.470074, 47.194658, 1.0),
            "pixel_scale_arcsec": 0.76543,
            "wcs_quality": "header",
        },
    ),
)
