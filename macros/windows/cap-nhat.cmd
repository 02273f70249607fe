@echo off
rem Updates: the new version beside the old one, then the switch.
"%~dp0chay.cmd" install %*
