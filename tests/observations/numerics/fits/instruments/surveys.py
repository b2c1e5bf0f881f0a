"""Headers of large telescopes and surveys: atomic time, drift scans, sections of amplifiers, matrices of two kinds."""

from __future__ import annotations

from tests.observations.numerics.fits.instruments.record import Instrument, Refusal, at

_DECAM_PRIMARY = """
    PROCTYPE = 'RAW     ' / Data processing level | OBS-LONG = 70.81489 / [deg] Observatory east longitude
    TELESCOP = 'CTIO 4.0-m telescope' / Telescope name | OBS-LAT = -30.16606 / [deg] Observatory latitude
    OBS-ELEV = 2215.0 / [m] Observatory elevation | INSTRUME = 'DECam   ' / Instrument used to obtain these data
    EXPREQ = 200.0 / [s] Requested exposure duration | EXPTIME = 200.0 / [s] Exposure duration
    DATE-OBS = '2013-09-01T06:02:55.753848' / UTC epoch | TIME-OBS = '06:02:55.753848' / Time of observation start (UTC)
    MJD-OBS = 56536.25203419 / MJD of observation start | TIMESYS = 'UTC     ' / Time system
    OBSTYPE = 'object  ' / Observation type | FILTER = 'z DECam SDSS c0004 9260.0 1520.0' / Unique filter identifier
    TELEQUIN = 2000.0 / Equinox of telescope coordinates | RA = '02:51:16.686' / [HH:MM:SS] Target RA
    DEC = '-00:00:04.698' / [DD:MM:SS] Target DEC | TELRA = '02:51:16.790' / [HH:MM:SS] Telescope RA
    TELDEC = '-00:00:05.699' / [DD:MM:SS] Telescope DEC
"""

SURVEYS: tuple[Instrument, ...] = (
    Instrument(
        name="SDSS imaging camera, drift scan",
        software="SDSS fpC",
        is_amateur=False,
        source="astro_metadata_translator, test data; the comments say that TAI is the reading of the first row: it "
        "was exposed for 53.9 s before, the middle row is read 19.6 s later: no one time holds for all rows. DEC is "
        "the first axis; DATE-OBS is in TAI",
        cards="""
            BITPIX = 16 | BZERO = 32768.0 | BSCALE = 1.0 | TAI = 4665448882.73 / 1st row Number of seconds since Nov
            RA = 352.27586 / 1st row RA of telescope boresight (deg) | DEC = 0.0 / 1st row Dec of telescope boresight
            SPA = 90.0 / 1st row Cam col position angle wrt N (deg) | DATE-OBS = '2006-09-20' / 1st row - TAI date
            TAIHMS = '06:01:22.73' / 1st row TAI time HH:MM:SS.SS | ORIGIN = 'SDSS    ' | TELESCOP = '2.5m    '
            TIMESYS = 'TAI     ' | FRAME = 407 / Frame sequence number within the run | FLAVOR = 'science ' / Flavor
            OBJECT = '82 S    ' / e.g., 'stripe 50.6 degrees, north strip' | EXPTIME = '53.907456' / Exposure time
            CCDMODE = 'DRIFT   ' / 'STARING' or 'DRIFT' | C_OBS = 26322 / CCD row clock rate (usec/row)
            COLBIN = 1 / Binning factor perpendicular to the columns | EQUINOX = 2000.0
            SOFTBIAS = 1000 / software "bias" added to all DN | BUNIT = 'DNs     ' | FILTER = 'g       ' / filter used
            RADECSYS = 'ICRS    ' / International Celestial Ref. System | CTYPE1 = 'RA---TAN' | CTYPE2 = 'DEC--TAN'
            CUNIT1 = 'deg     ' | CUNIT2 = 'deg     ' | CRPIX1 = 1024.5 / Column Pixel Coordinate of Ref. Pixel
            CRPIX2 = 744.5 / Row Pixel Coordinate of Ref. Pixel | CRVAL1 = 351.64468308 / RA at Reference Pixel
            CRVAL2 = 0.10407344 / DEC at Reference Pixel | CD1_1 = -4.0429620789969E-08 / RA degrees per column pixel
            CD1_2 = 0.000110022681398723 / RA degrees per row pixel | CD2_1 = 0.0001099696875 / DEC degrees per column
            CD2_2 = 7.9435483870939E-09 / DEC degrees per row pixel
        """,
        shape=(1489, 2048),
        expected={
            "kind": "light",
            "mjd_utc": at("2006-09-20T06:00:49.73", 19.6 - 53.907456 / 2),
            "exposure_s": 53.907456,
            "sky": (351.644738, 0.104073, 1.0),
            "pixel_scale_arcsec": 0.395986,
            "filter_band": "g",
            "gain_e_per_adu": None,
            "pixel_unit": "adu",
        },
        doubted=("time",),
        within={"mjd_utc": 40.0},
    ),
    Instrument(
        name="CFHT MegaPrime, one detector raw",
        software="CFHT DetCom 4.4",
        is_amateur=False,
        source="astro_metadata_translator, test data; EXPTIME is measured, EXPREQ asked for; BIASSEC [0:0,0:0] stands "
        "for "
        "two amplifiers' overscans that are elsewhere; DETTEM is the cold plate in Celsius",
        cards="""
            BITPIX = 16 | BZERO = 32768.0 | BSCALE = 1.0 | DETECTOR = 'MegaCam ' | CCDSUM = '1 1     ' / Binning factors
            CCDBIN1 = 1 / Binning factor along first axis | CCDBIN2 = 1 / Binning factor along second axis
            PIXSIZE1 = 13.5 / Pixel size for axis 1 (microns) | PIXSCAL1 = 0.185 / Pixel scale for axis 1 (arcsec/pixel)
            DATASEC = '[33:2080,1:4612]' / Imaging area of the entire CCD in raw frame
            BSECA = '[1:32,1:4644]' / Overscan of A amplifier in raw frame
            MAXLIN = 65535 / Level at 1% linearity departure (ADU) = Average | SATURATE = 65535 / Saturation value (ADU)
            GAIN = 1.62 / Converting gain (e-/ADU) = Average [A,B] amps | GAINA = 1.57 / Converting gain of A amplifier
            RDNOISE = 4 / Read noise (electrons) = Average [A,B] amps | DETTEM = -133.13 / Temp. Cold Plate (C)
            TIMESYS = 'UTC     ' / Time System for DATExxxx | OBSTYPE = 'OBJECT  ' / Observation/ Exposure type
            EXPTIME = 615.037 / Measured integration time (seconds) | EXPREQ = 615.0 / Requested integration time
            DARKTIME = 615.0 / Dark current time (seconds) | CRPIX1 = -3118.8 / WCS Coordinate reference pixel
            CRPIX2 = 9640.5 / WCS Coordinate reference pixel | CD1_1 = 5.194E-05 / WCS Coordinate scale matrix
            CD1_2 = 0.0 | CD2_1 = 0.0 | CD2_2 = -5.194E-05 / WCS Coordinate scale matrix | INSTRUME = 'MegaPrime'
            BIASSEC = '[0:0,0:0]' / Dual amplifiers readout - see BSECA & BSECB
            FILTER = 'i.MP9702' / Name of filter in position | TELESCOP = 'CFHT 3.6m' / Hawaii Big Island, Mauna Kea
            LATITUDE = 19.825252 / Latitude (degrees N) | LONGITUD = -155.468876 / Longitude (degrees E)
            DATE-OBS = '2008-11-01' / Date at start of observation (UTC)
            UTIME = '14:33:32.40' / Time at start of observation (UT) | UTC-OBS = '14:33:32.40' / Time at start (UTC)
            MJD-OBS = 54771.606625 / Modified Julian Date at start of obs.
            LST-OBS = '6:56:39.82' / Sidereal time at start of exposure | UTCEND = '14:44:41.96' / Time at end of obs.
            MJDEND = 54771.6143746 / Modified Julian Date at end of obs. | EQUINOX = 2000.0 / Equinox of coordinates
            RADECSYS = 'FK5     ' / Coordinate system for equinox (FK4/FK5/GAPPT) | RA = '9:01:38.26' / Object right
            DEC = '-2:24:00.0' / Object declination | HA = '-2:04:58.44' / Object hour angle at start of exposure
            RA_DEG = 135.409417 / Object right ascension in degrees | DEC_DEG = -2.4 / Object declination in degrees
            CRVAL1 = 135.40942 / WCS Ref value (RA in decimal degrees) | CRVAL2 = -2.4 / WCS Ref value (DEC in decimal)
            CTYPE1 = 'RA---TAN' | CTYPE2 = 'DEC--TAN' | AIRMASS = 1.269 / Airmass at start of observation
        """,
        shape=(4644, 2112),
        expected={
            "kind": "light",
            "mjd_utc": at("2008-11-01T14:33:32.4", 307.52),
            "exposure_s": 615.037,
            "sky": (135.626414, -2.019894, 1.0),
            "pixel_scale_arcsec": 0.186984,
            "gain_e_per_adu": 1.62,
            "read_noise_e": 4.0,
            "saturation": 65535.0,
            "saturation_unit": "data",
            "ccd_temperature_c": -133.13,
            "biassec": None,
            "trimsec": "[33:2080,1:4612]",
            "binning": "1x1",
            "site_longitude_deg": -155.46888,
        },
    ),
    Instrument(
        name="Subaru Suprime-Cam, a typical time that is the start",
        software="Subaru Suprime-Cam",
        is_amateur=False,
        source="astro_metadata_translator, test data; UT is called typical (middle) and MJD typical, and both are "
        "UT-STR, "
        "the start: UT-STR, UT-END and EXPTIME agree that the middle is 100 s later. DET-TMP is in kelvin",
        cards="""
            BITPIX = -32 | BUNIT = 'ADU     ' / Unit of original pixel value
            DATE-OBS = '2007-04-23' / Observation start date  (yyyy-mm-dd)
            UT = '08:02:27.204' / HH:MM:SS.S typical UTC at the exposure (middle
            UT-STR = '08:02:27.204' / HH:MM:SS.S UTC at the start exposure time
            UT-END = '08:05:47.000' / HH:MM:SS.S UTC at the end of the exposure
            LST = '11:44:29.655' / HH:MM:SS.SSS Typical LST at exposure | MJD = 54213.335036 / [d] Mod. Julian Date at
            TIMESYS = 'UTC     ' / Time System used in the header
            MJD-STR = 54213.335036 / [d] Mod.Julian Date at the start of exposure
            MJD-END = 54213.337348 / [d] Mod.Julian Date at the end of exposure | EXPTIME = 200.0
            AIRMASS = 1.354 / Average airmass during exposure | ALTITUDE = 46.971 / [degree] Altitude ang. of telescope
            DATA-TYP = 'OBJECT  ' / Characteristics of this data | OBJECT = 'Ecliptic Deep Field'
            RA = '13:46:57.675' / Right ascension of telescope pointing
            DEC = '-10:43:59.49' / Declination of telescope pointing | TELESCOP = 'Subaru  ' | FILTER01 = 'W-S-R+  '
            FILTER = 'r       ' | INSTRUME = 'SuprimeCam' / Name of instrument | DETECTOR = 'w67c1   ' / Name of the CCD
            DET-TMP = 166.26 / [Kelvin] Detector temperature | BIN-FCT1 = 1 / Binning factor of axis 1
            BIN-FCT2 = 1 / Binning factor of axis 2 | SEEING = 0.23 / [arcsec] FWHM of the star at telescope focus
            RADECSYS = 'FK5     ' | EQUINOX = 2000.0 | RADESYS = 'FK5     ' | CRPIX1 = 5321.0 | CRPIX2 = -35.0
            CD1_1 = -5.611E-05 | CD1_2 = 0.0 | CD2_1 = 0.0 | CD2_2 = 5.611E-05 | CRVAL1 = 206.7403125
            CRVAL2 = -10.73319167 | CUNIT1 = 'deg     ' | CUNIT2 = 'deg     ' | CTYPE1 = 'RA---TAN'
            CTYPE2 = 'DEC--TAN'
        """,
        shape=(4096, 2048),
        expected={
            "kind": "light",
            "mjd_utc": at("2007-04-23T08:04:07.1"),
            "exposure_s": 200.0,
            "sky": (206.985585, -10.616192, 1.0),
            "pixel_scale_arcsec": 0.201996,
            "filter_band": "r",
            "ccd_temperature_c": -106.89,
            "binning": "1x1",
            "airmass": 1.354,
            "pixel_unit": "adu",
        },
    ),
    Instrument(
        name="Subaru Hyper Suprime-Cam raw",
        software="Subaru Hyper Suprime-Cam",
        is_amateur=False,
        source="astro_metadata_translator, test data; MJD-STR and UT-STR are the start, the filter is FILTER01, CUNIT "
        "is "
        "degree, SEEING '0.00' is unmeasured, T_CCDTV the detector's Celsius, four gains of four channels",
        cards="""
            BITPIX = 16 | BZERO = 32768 | UT-STR = '06:15:55.908' | LST-STR = '22:40:45.506'
            MJD-STR = 56598.26106374757
            DATE-OBS = '2013-11-02' | UT = '06:15:55.927' | LST = '22:40:45.525' | MJD = 56598.26106397435
            AIRMASS = 1.121626027604189 | ALTITUDE = 63.04359233 | OBS-MOD = 'IMAG    ' | RA = '21:22:59.982'
            DEC = '+00:30:00.07' | EQUINOX = 2000.0 | TELESCOP = 'Subaru  ' | SEEING = '0.00    '
            EXPTIME = 30.0 / Exposure time | OBJECT = 'STRIPE82L' / Object | DATA-TYP = 'OBJECT  ' / Characteristics
            FILTER01 = 'HSC-i   ' / Filter barcode | UT-END = '06:16:27.928' | MJD-END = 56598.26143435203
            CTYPE2 = 'DEC--TAN' | CUNIT2 = 'degree  ' | CTYPE1 = 'RA---TAN' | CRPIX2 = 4395.167 | CRPIX1 = 1024.5
            CUNIT1 = 'degree  ' | CRVAL2 = 0.500019444444 | CRVAL1 = 320.749925 | LONPOLE = 180
            T_CCDTV = -101.158 / CCD Temperature value [celsius degree] | CD1_1 = 2.89152716465347E-21
            CD1_2 = 4.72222222222222E-05 | CD2_1 = -4.7222222222222E-05 | CD2_2 = 2.89152716465347E-21
            T_GAIN1 = 3.53 / Gain for channel 1 | T_GAIN2 = 3.48 / Gain for channel 2
            T_CCDSN = '120     ' / CCD Serial Number
        """,
        shape=(4241, 2144),
        expected={
            "kind": "light",
            "mjd_utc": at("2013-11-02T06:15:55.908", 15.0),
            "exposure_s": 30.0,
            "sky": (320.64253, 0.497752, 1.0),
            "pixel_scale_arcsec": 0.17,
            "filter_band": "i",
            "ccd_temperature_c": -101.158,
            "camera_serial": "120",
            "seeing_arcsec": None,
        },
    ),
    Instrument(
        name="DECam raw, one detector of the mosaic",
        software="DECam SISPI",
        is_amateur=False,
        source="astro_metadata_translator, test data; OBS-LONG says east and counts westward: Cerro Tololo lies at "
        "-70.8. "
        "TPV distortion; two amplifiers with a gain each; the filter's name begins with its letter",
        primary=_DECAM_PRIMARY,
        cards="""
            BITPIX = 16 | BZERO = 32768 | BUNIT = 'adu     ' / Brightness units for pixel array
            TRIMSEC = '[57:2104,51:4146]' / Good section | DATASEC = '[57:2104,51:4146]' / Data section to display
            GAINA = 4.59347726229 / [electrons/adu] Gain for amp A | RDNOISEA = 7.17960496096 / [electrons] Read noise A
            SATURATA = 43266.0 / [adu] Saturation for amp A | GAINB = 4.4014084507 / [electrons/adu] Gain for amp B
            BIASSECA = '[2105:2154,51:4146]' / Overscan from amp A | CCDBIN1 = 1 / Pixel binning, axis 1
            CCDBIN2 = 1 / Pixel binning, axis 2 | RADESYS = 'FK5     ' | EQUINOX = 2000.0 / [yr] Equinox of WCS
            CTYPE1 = 'RA---TPV' | CTYPE2 = 'DEC--TPV' | CRVAL1 = 42.819958 | CRVAL2 = -0.001583 | CRPIX1 = 2151.2
            CRPIX2 = 14826.0 | CD1_1 = -1.8249413473E-07 | CD1_2 = 7.28535892432E-05 | CD2_1 = -7.2849900453899E-05
            CD2_2 = -1.82181666096E-07 | PV1_0 = 0.0107262491558 | PV1_1 = 1.03899426784 | PV1_2 = -0.00253295758814
            PV1_3 = 0.0 | PV1_4 = 0.0440579429998 | PV1_5 = -0.00480948264558 | PV1_6 = 0.00735227852542
            PV1_7 = 0.01641672826 | PV1_8 = -0.00253592468977 | PV1_9 = 0.00562233785525 | PV1_10 = -0.00235436587955
            PV2_0 = -0.000677378816994 | PV2_1 = 1.01170064187 | PV2_2 = -0.00154844123095 | PV2_3 = 0.0
            PV2_4 = -0.000974573910792 | PV2_5 = 0.015516347937 | PV2_6 = -0.00176930825331 | PV2_7 = -0.00664988058298
            PV2_8 = -0.00246200658752 | PV2_9 = 0.00641298947322 | PV2_10 = -0.000605534691727
        """,
        shape=(4146, 2160),
        expected={
            "kind": "light",
            "mjd_utc": at("2013-09-01T06:02:55.754", 100.0),
            "exposure_s": 200.0,
            "sky": (41.890524, 0.078682, 1.0),
            "pixel_scale_arcsec": 0.262267,
            "filter_band": "z",
            "trimsec": "[57:2104,51:4146]",
            "binning": "1x1",
            "site_latitude_deg": -30.16606,
            "site_longitude_deg": -70.81489,
            "site_height_m": 2215.0,
            "calibrated": (),
        },
    ),
    Instrument(
        name="Rubin ComCam, atomic time and a date of writing called MJD",
        software="Rubin header service",
        is_amateur=False,
        source="obs_lsst, test headers, and the header service's template: TIMESYS TAI for all dates; MJD is when the "
        "file "
        "was written; DATE-TRG is the read-out; CCDGAIN and CCDNOISE are rough guesses; no world coordinates",
        cards="""
            BITPIX = 32 | BINX = 1 | BINY = 1 | CCDGAIN = 1.0 / Rough guess at overall system gain (e-/DN)
            CCDNOISE = 10.0 / Rough guess at system noise (e- rms) | DATE = '2024-11-09T06:35:11.753' / Creation Date
            MJD = 60623.274441585876 / Modified Julian Date that the file was written | IMGTYPE = 'OBJECT  '
            DATE-OBS = '2024-11-09T06:34:41.323' / Date of observation (image acquisition) | MJD-OBS = 60623.27408938669
            DATE-TRG = '2024-11-09T06:35:11.749' / Date of the image trigger (readout)
            DATE-BEG = '2024-11-09T06:34:41.323' / Time at the start of integration | MJD-BEG = 60623.27408938669
            DATE-END = '2024-11-09T06:35:11.754' / end date of the observation | MJD-END = 60623.27444159705
            TIMESYS = 'TAI     ' / The time scale used | INSTRUME = 'ComCam  ' | TELESCOP = 'Simonyi Survey Telescope'
            OBS-LONG = -70.749417 | OBS-LAT = -30.244639 | OBS-ELEV = 2663.0 | RA = 53.12550000000002 | DEC = -28.1
            ELSTART = 69.7265612661672 | AMSTART = 1.0659132785610415 | RADESYS = 'ICRS    ' | CCD_SERN = '23166   '
            FILTBAND = 'g       ' | FILTER = 'g_01    ' | EXPTIME = 30.0 | DARKTIME = 30.4306
        """,
        shape=(2000, 4072),
        given={"pixel_scale_arcsec": 0.2},
        refused=Refusal(("no_wcs",), ("--pixel-scale",)),
        expected={
            "kind": "light",
            "mjd_utc": at("2024-11-09T06:34:04.323", 15.1),
            "exposure_s": 30.0,
            "sky": (53.1255, -28.1, 1.0),
            "filter_band": "g",
            "binning": "1x1",
            "airmass": 1.0659133,
            "camera_serial": "23166",
            "site_latitude_deg": -30.24464,
            "site_longitude_deg": -70.74942,
            "site_height_m": 2663.0,
        },
    ),
    Instrument(
        name="Subaru autoguider, a matrix of 1996 beside one of today",
        software="Subaru guider",
        is_amateur=False,
        source="Subaru's header maker, sample; PC001001 is a unit matrix for CDELT, CD says the same with scale; "
        "DET-TMP "
        "-40 K cannot be; UT and MJD are typical times of a second's exposure",
        cards="""
            BITPIX = -32 | BUNIT = 'CCD COUNT IN ADU' / Unit of original pixel values
            CRPIX1 = 256.0 / Reference pixel in X (pixel) | CRPIX2 = 166.0 / Reference pixel in Y (pixel)
            CRVAL1 = 193.92189026 | CRVAL2 = 12.56037235 | CTYPE1 = 'RA---TAN' | CTYPE2 = 'DEC--TAN'
            CDELT1 = 0.00002609 / X Scale projected on detector (#/pix) | CDELT2 = 0.00002609 / Y Scale projected
            CUNIT1 = 'degree  ' | CUNIT2 = 'degree  ' | BIN-FCT1 = 1 / Binning factor of X axis (pixel)
            RA = '12:55:41.254' / HH:MM:SS.SSS RA (J2000) pointing | DEC = '+12:33:37.34' / DEC (J2000) pointing
            EQUINOX = 2000.000 / Standard FK5 (years) | RADECSYS = 'FK5     ' | PC001001 = 1.00000000
            PC001002 = 0.00000000 | PC002001 = 0.00000000 | PC002002 = 1.00000000 | CD1_1 = 0.00002609
            CD1_2 = 0.00000000 | CD2_1 = 0.00000000 | CD2_2 = 0.00002609 | LONGPOLE = 180.00000
            ALTITUDE = 73.12314 / Altitude of telescope pointing (degree) | TIMESYS = 'UTC     ' / Time System
            DATE-OBS = '2006-05-02' / Observation start date (yyyy-mm-dd)
            UT = '09:40:43.107' / HH:MM:SS.S typical UTC at exposure
            MJD = 53857.40327942 / Modified Julian Day at typical time | LST = '13:59:28.317' / typical LST at exposure
            EXPTIME = 0.97 / Total integration time of the frame (sec) | TELESCOP = 'Subaru  '
            DATA-TYP = 'OBJECT  ' / Type/Characteristics of this data | GAIN = 1.00 / AD conversion factor
            DET-TMP = -40.000000 / Detector temperature (K) | FILTER01 = 'AGFILTER' / Filter name/ID
        """,
        shape=(100, 100),
        given={"band": "Clear"},
        expected={
            "mjd_utc": at("2006-05-02T09:40:43.107"),
            "exposure_s": 0.97,
            "sky": (193.916397, 12.557359, 1.0),
            "pixel_scale_arcsec": 0.093924,
            "gain_e_per_adu": 1.0,
            "ccd_temperature_c": None,
            "site_height_m": None,
        },
    ),
    Instrument(
        name="Pan-STARRS sky cell, a matrix of 1996 alone",
        software="Pan-STARRS IPP",
        is_amateur=False,
        source="legacypipe, ps1 reader, and delight, a header of an asinh cutout; PC001001 with CDELT is the matrix; "
        "the "
        "filter stands in FPA.FILTER with the number of its copy",
        cards="""
            BITPIX = -32 | CTYPE1 = 'RA---TAN' | CRPIX1 = 15 | CRVAL1 = 3.5 | CDELT1 = 6.94444461259988E-05
            CUNIT1 = 'deg     ' | CTYPE2 = 'DEC--TAN' | CRPIX2 = 15 | CRVAL2 = 2.5 | CDELT2 = 6.94444461259988E-05
            CUNIT2 = 'deg     ' | PC001001 = -1. | PC001002 = 0. | PC002001 = 0. | PC002002 = 1.
            MJD-OBS = 56000.51234 / start | EXPTIME = 1200.0 / exposure | HIERARCH FPA.FILTER = 'r.00000'
            BOFFSET = 0.5 / asinh scaling: zero | BSOFTEN = 120. / asinh scaling: softening
        """,
        shape=(30, 30),
        given={"band": "r"},
        expected={
            "exposure_s": 1200.0,
            "sky": (3.499965, 2.500035, 0.1),
            "pixel_scale_arcsec": 0.25,
            "filter_band": "r",
        },
    ),
    Instrument(
        name="TESS full frame, exposure in days, time in two scales",
        software="TESS SPOC",
        is_amateur=False,
        source="lightkurve's documentation and VaST, gettime: DATE-OBS is UTC by its Z and its comment whatever "
        "TIMESYS "
        "says; TSTART is barycentric in days; EXPOSURE is in days, live time only, INT_TIME and NUM_FRM its parts",
        cards="""
            BITPIX = -32 | TELESCOP = 'TESS    ' / telescope | INSTRUME = 'TESS Photometer' / detector type
            TIMESYS = 'TDB     ' / time system is Barycentric Dynamical Time (TDB)
            BJDREFI = 2457000 / integer part of BTJD reference date | BJDREFF = 0.00000000 / fraction of the day in BTJD
            TIMEUNIT = 'd       ' / time unit for TIME, TSTART and TSTOP
            TSTART = 1437.976957548360 / observation start time in BTJD
            TSTOP = 1437.997790881693 / observation stop time in BTJD
            DATE-OBS = '2018-11-15T11:25:39.948Z' / TSTART as UTC calendar date
            DATE-END = '2018-11-15T11:55:39.948Z' / TSTOP as UTC calendar date
            TELAPSE = 0.020833333333 / [d] TSTOP - TSTART | EXPOSURE = 0.016492000000 / [d] time on source
            INT_TIME = 1.980000000000 / [s] photon accumulation time per frame | NUM_FRM = 900 / number of frames per
            GAINA = 5.24 / [electrons/count] CCD output A gain | READNOIA = 9.5 / [electrons] read noise CCD output A
            BUNIT = 'electrons/s' / physical units of image data | RADESYS = 'ICRS    ' | EQUINOX = 2000.0
            CTYPE1 = 'RA---TAN' | CTYPE2 = 'DEC--TAN' | CRVAL1 = 124.5319 | CRVAL2 = -68.313 | CRPIX1 = 1068.5
            CRPIX2 = 1039.5 | CD1_1 = -0.00583 | CD1_2 = 0.0 | CD2_1 = 0.0 | CD2_2 = 0.00583
        """,
        shape=(2078, 2136),
        given={"band": "T"},
        expected={
            "mjd_utc": at("2018-11-15T11:40:39.948"),
            "exposure_s": 1424.909,
            "sky": (124.5319, -68.313, 15.0),
            "pixel_scale_arcsec": 20.988,
            "pixel_unit": "electron/s",
        },
        doubted=("time",),
    ),
)
