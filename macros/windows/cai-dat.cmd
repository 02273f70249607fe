@echo off
rem Installs, or updates what is installed.
"%~dp0chay.cmd" install %*
