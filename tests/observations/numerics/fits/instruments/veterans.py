"""Headers of telescopes that have observed for decades: B1950, kelvin, seconds of the day, longitudes westward."""

from __future__ import annotations

from tests.observations.numerics.fits.instruments.record import Instrument, Refusal, at

VETERANS: tuple[Instrument, ...] = (
    Instrument(
        name="Isaac Newton Telescope 1998, B1950 and longitude westward",
        software="ING observing system",
        is_amateur=False,
        source="a public lecture's printed header, there an arc of the spectrograph, here an OBJECT, for the keywords "
        "are those of its cameras; STSTART says that LONGITUD is counted westward (La Palma); CAMERA is a focal "
        "length; MJD-OBS calls itself the middle and lies 1 s before the start: the clock of the start was believed",
        cards="""
            BITPIX = 16 | BSCALE = 1.0 | BZERO = 32768.0 | RUN = 115135 / Run number
            OBSERVAT = 'LAPALMA ' / Name of observatory (IRAF style) | OBSTYPE = 'OBJECT  ' | IMAGETYP = 'OBJECT  '
            OBJECT = 'ucm1443+2844' / Title of observation
            LATITUDE = 28.762000 / Telescope latitude  (degrees), +28:45:43.2
            LONGITUD = 17.877639 / Telescope longitude (degrees), +17:52:39.5
            HEIGHT = 2348 / [m] Height above sea level. | TELESCOP = 'INT     ' / 2.5m Isaac Newton Telescope
            RA = ' 14:43:46.201' / RA  (220.9425040722087500 degrees)
            DEC = '+28:44:07.02' / DEC ( 28.7352839821988330 degrees)
            EQUINOX = 'B1950.00' / Equinox of coordinates
            RADECSYS = 'FK4     ' / mean place old (before the 1976 IAU) system
            MJD-OBS = 51039.8602077 / Modified Julian Date of midtime of observation
            JD = 2451040.3602077 / Julian Date of midtime of observation
            STSTART = ' 16:59:24.0' / Local sidereal time at start of observation
            ST = ' 16:59:24.0' / Local sidereal time at start of observation
            AZIMUTH = 277.778480 / Mean azimuth of observation (degrees)
            ZD = 29.200487 / Mean zenith-distance of observation (degrees)
            PLATESCA = 1.502645 / [d/m] Platescale (  5.41arcsec/mm) | ROTSKYPA = 129.998198 / Turntable position angle
            AIRMASS = 1.145286 / Effective mean airmass | CAT-RA = ' 14:43:46.200' / Target Right Ascension
            CAT-DEC = '+28:44:07.00' / Target Declination | CAT-EQUI = 'B1950.00' / Equinox of target coordinates
            INSTRUME = 'IDS     ' / Name of the instrument | CAMERA = '500     ' / Focal length of camera in use
            DATE-OBS = '1998-08-14' / Date of start of observation
            UTSTART = '20:38:43.0' / UTC of start of observation hh:mm:ss
            ELAPSED = 2.000 / Time from end of CLR to shutter close
            DARKTIME = 1.000 / Time from end of CLR to start of r/o
            EXPOSED = 1.000 / Exposure time excluding pauses,in secs
            EXPTIME = 1.000 / Exposure time excluding pauses,in secs | DETECTOR = 'TEK5    ' / Name of the detector
            BUNIT = 'ADU     ' / Unit of the array of image data | GAIN = 1.530 / Electrons per ADU
            READNOIS = 4.820 / Readout noise in electrons per pix | CCDSPEED = 'QUICK   ' / Readout speed of the CCD
            CCDXPIXE = 2.4E-05 / Size in meters of the pixels, in X | CCDXBIN = 1 / Binning factor, in X
            CCDYBIN = 1 / Binning factor, in Y | CCDSTEMP = 173 / Required temperature of CCD, in Kevlin
            CCDATEMP = 173 / Actual temperature of CCD, in Kevlin
            TRIMSEC = '[51:1074,1:400]' / Illuminated region of image | BIASSEC = '[1:50,1:400]' / Bias region of image
        """,
        shape=(400, 1124),
        given={"band": "R", "pixel_scale_arcsec": 0.33},
        refused=Refusal(("no_band", "no_wcs"), ("--",)),
        expected={
            "kind": "light",
            "mjd_utc": at("1998-08-14T20:38:43.0", 0.5),
            "exposure_s": 1.0,
            "sky": (221.483087, 28.525892, 2.0),
            "gain_e_per_adu": 1.53,
            "read_noise_e": 4.82,
            "binning": "1x1",
            "ccd_temperature_c": -100.15,
            "biassec": "[1:50,1:400]",
            "trimsec": "[51:1074,1:400]",
            "airmass": 1.145286,
            "camera": "IDS",
            "pixel_unit": "adu",
            "gain_setting": None,
            "calibrated": (),
            "site_latitude_deg": 28.762,
            "site_longitude_deg": -17.877639,
            "site_height_m": 2348.0,
        },
        within={"mjd_utc": 2.0},
        disputed=("time",),
    ),
    Instrument(
        name="VLT ISAAC 2001, a mean of six integrations, matrices of two kinds",
        software="ESO, IRACE",
        is_amateur=False,
        source="Astro::FITS::Header, test data; UTC and LST are seconds of the day; EXPTIME is one of NDIT = 6 "
        "integrations, whose mean the pixels are: with the pauses they take 11 s at least, the frame came 23 s after "
        "the start, so that half of EXPTIME after the start is not the middle. DATAMAX is the largest pixel of the "
        "frame, as DATAMIN, DATAMEAN and DATARMS beside it show",
        cards="""
            BITPIX = -32 | ORIGIN = 'ESO-PARANAL' | DATE = '2001-04-09T23:38:34.0939' / Date this file was written
            EXPTIME = 1.773 / Total integration time. 00:00:01.773 | MJD-OBS = 52008.98484556 / Obs start 2001-04-09T23
            DATE-OBS = '2001-04-09T23:38:10.6563' / Date of observation | TELESCOP = 'ESO-VLT-U1' / ESO <TEL>
            INSTRUME = 'ISAAC   ' / Instrument used | UTC = 85090.000 / 23:38:10.000 UT at start
            LST = 29379.086 / 08:09:39.086 LST at start | OBJECT = 'STD     ' / Original target
            RA = 129.06474 / 08:36:15.5 RA (J2000) pointing | DEC = -10.23711 / -10:14:13.5  DEC (J2000) pointing
            EQUINOX = 2000.0 / Standard FK5 (years) | RADECSYS = 'FK5     ' | CRVAL1 = 129.06474 | CRVAL2 = -10.23711
            CRPIX1 = 504.0 | CRPIX2 = 491.0 | CDELT1 = 0.00004122 / SS arcsec per pixel in RA
            CDELT2 = -0.00004122 / SS arcsec per pixel in DEC | CTYPE1 = 'RA---TAN' | CTYPE2 = 'DEC--TAN'
            CROTA1 = 0.0 | CROTA2 = 0.0 | PC001001 = 1.0 | PC001002 = -0.0 | PC002001 = -0.0 | PC002002 = 1.0
            UT = '23:38:10.000' / UT at start | ST = '08:09:39.086' / ST at start
            AIRMASS = 1.03900 / Averaged air mass | IMAGETYP = 'STD     ' / Observation type
            FILTER1 = 'Ks      ' / Filter 1 name | FILTER2 = 'open    ' / Filter 2 name
            GRAT = 'MR      ' / Grating name | DATAMIN = -1.833333 / Minimum pixel value
            DATAMAX = 8651.833008 / Maximum pixel value | DATAMEAN = 939.563104 / Mean Pixel Value
            DATARMS = 103.167024 / RMS of Pixel Values
            HIERARCH ESO OBS START = '2001-04-09T23:22:20' / OB start time
            HIERARCH ESO DPR CATG = 'CALIB   ' / Observation category
            HIERARCH ESO DPR TYPE = 'STD     ' / Observation type
            HIERARCH ESO TEL GEOELEV = 2648. / Elevation above sea level (m)
            HIERARCH ESO TEL GEOLAT = -24.6259 / Tel geo latitute (+=North) (deg)
            HIERARCH ESO TEL GEOLON = -70.4032 / Tel geo longitute (+=East) (deg)
            HIERARCH ESO TEL FOCU SCALE = 1.718 / Focal scale (arcsec/mm)
            HIERARCH ESO TEL AMBI FWHM START = 0.69 / Observatory Seeing queried from AS
            HIERARCH ESO INS PIXSCALE = 0.148 / Pixel scale
            HIERARCH ESO INS TEMP-DETSW = 59.999 / Temp. of detector SW
            HIERARCH ESO INS FILT1 NAME = 'Ks      ' / FILTi name
            HIERARCH ESO DET FRAM UTC = '2001-04-09T23:38:33.7973' / Time Recv Frame
            HIERARCH ESO DET DIT = 1.7726 / Integration Time
            HIERARCH ESO DET DITDELAY = 0.100 / Pause Between DITs
            HIERARCH ESO DET NDIT = 6 / # of Sub-Integrations
            HIERARCH ESO DET MODE NAME = 'DoubleCorr' / DCS Detector Mode
        """,
        shape=(1024, 1024),
        expected={
            "kind": "light",
            "exposure_s": 1.773,
            "sky": (129.06474, -10.23711, 5.0),
            "pixel_scale_arcsec": 0.148392,
            "filter_band": "Ks",
            "airmass": 1.039,
            "seeing_arcsec": 0.69,
            "saturation": None,
            "ccd_temperature_c": -213.151,
            "camera": "ISAAC",
            "readout_mode": "DoubleCorr",
            "calibrated": (),
            "site_latitude_deg": -24.6259,
            "site_longitude_deg": -70.4032,
            "site_height_m": 2648.0,
        },
        doubted=("time",),
    ),
)
