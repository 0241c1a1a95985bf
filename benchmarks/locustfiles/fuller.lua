-- The request of fuller.py, as wrk makes it; wrk reads the answer without unpacking it.
wrk.method = "POST"
wrk.body = '{"customer": 4711, "items": [{"sku": "A-1", "count": 2}, {"sku": "B-7", "count": 1}], "express": true}'
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Accept-Encoding"] = "gzip, deflate"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("BENCH_BEARER")
wrk.headers["Cookie"] = os.getenv("BENCH_COOKIES")
