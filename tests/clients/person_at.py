#!/usr/bin/env python3
"""Runs hoptrail and opens the authorization URL that it shows, as the person before it would.

usage: person_at.py HOPTRAIL ARG...
"""
import re, subprocess, sys, threading, urllib.request

hoptrail = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
opened = set()


def open_page(url):
    try:
        urllib.request.urlopen(url, timeout=10).read()
    except OSError as error:
        print(f"the page did not open: {error}", flush=True)


for line in hoptrail.stdout:
    print(line, end="", flush=True)
    for url in re.findall(r"https?://\S*response_type=code\S*", line):
        if url not in opened:
            opened.add(url)
            threading.Thread(target=open_page, args=(url,), daemon=True).start()
sys.exit(hoptrail.wait())
