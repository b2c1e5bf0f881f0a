import threading, time
import httpx, pytest
from django.contrib.auth.models import Group
from catalog import audit
from catalog.tokens import issue
from catalog.scopes import SCOPES
from curation.publishing import publish_pending
from tests.factories import *
from tests.siteserver import serving_site

@pytest.mark.django_db(transaction=True)
def test_it():
    user = UserFactory(); user.groups.add(Group.objects.get(name="administrator"))
    token, text = issue(user, "t", list(SCOPES), audit.MACHINE)
    ev = ValidationEventFactory(); AlertFactory(detection=ev.detection); ProcessingJobFactory(); PreprocessRunFactory()
    with serving_site() as url:
        c = httpx.Client(base_url=url, headers={"Authorization": f"Token {text}"}, timeout=30)
        for name, address in c.get("/api/v1/").json().items():
            for fmt in ("json","csv","votable"):
                r = c.get(address, params={"format": fmt}); 
                print(name, fmt, r.status_code, len(r.content), r.headers.get("etag"))
                if r.status_code != 200: print(r.text)
            print(r.text[:300] if name in("surveys",) else "")
            for row in c.get(address).json()["results"][:1]:
                r = c.get(address + f"{row.get('id', row.get('key'))}/"); print(r.status_code, r.text[:200] if r.status_code!=200 else "", r.headers["etag"])
        t=time.monotonic(); r=c.get("/api/v1/alerts/feed/?wait=2"); print(r.status_code, r.text[:100], time.monotonic()-t)
        got = {}
        def wait():
            r = c.get("/api/v1/alerts/feed/?wait=20"); got["t"]=time.monotonic(); got["r"]=r
        th = threading.Thread(target=wait); th.start(); time.sleep(1)
        t=time.monotonic(); publish_pending(); th.join(); print("woken after", got["t"]-t, got["r"].text[:300], got["r"].headers)
        AlertFactory(); 
        with c.stream("GET", "/api/v1/alerts/stream") as s:
            print(s.headers)
            it = s.iter_lines(); 
            for line in it:
                print("SSE", line[:80])
                if line.startswith("data") : break
            t=time.monotonic(); publish_pending()
            for line in it:
                print("SSE", line[:80], time.monotonic()-t)
                if line.startswith("data") : break
        for p in ("/api/v1/nothing", "/api/v1/alerts/feed/?since=%%", "/api/v1/alerts/?foo=1", "/api/v1/alerts/?page_size=0", "/api/v1/alerts/xx/", "/api/v1/detections/?cone=1,2", "/api/v1/detections/?is_validated=x"):
            r = c.get(p); print(p, r.status_code, r.headers["content-type"], r.text)
        r = c.post("/api/v1/alerts/"); print(r.status_code, r.text, r.headers)
        r = httpx.get(url+"/api/v1/alerts/"); print(r.status_code, r.text, r.headers)
        r = httpx.get(url+"/api/v1/alerts/", headers={"Authorization":"Token x"}); print(r.status_code, r.text, r.headers)
        r = c.get("/api/v1/schema/"); print(r.status_code, r.headers["content-type"], len(r.text))
