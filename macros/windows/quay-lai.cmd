@echo off
rem Switches back to the version before.
"%~dp0chay.cmd" rollback %*
