@echo off
rem Removes everything but what belongs to people.
"%~dp0chay.cmd" uninstall %*
