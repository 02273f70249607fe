@echo off
rem Finds Python 3.11 or newer of this user and lets it run theodoi_setup.py with a task.
rem ASCII only: Windows reads this file in the code page of the machine. What people read
rem stands in UTF-8 files, shown under code page 65001.
setlocal EnableExtensions DisableDelayedExpansion
chcp 65001 >nul
set "THEODOI_PY="
for %%V in (3.13 3.12 3.14 3.11 3.15) do if not defined THEODOI_PY call :launcher %%V
if not defined THEODOI_PY call :try python
if not defined THEODOI_PY call :try python3
for %%V in (313 312 314 311 315) do if not defined THEODOI_PY call :try "%LOCALAPPDATA%\Programs\Python\Python%%V\python.exe"
for %%V in (3.13 3.12 3.14 3.11 3.15) do if not defined THEODOI_PY call :try "%LOCALAPPDATA%\Python\pythoncore-%%V-64\python.exe"
for %%V in (313 312 314 311 315) do if not defined THEODOI_PY call :try "%ProgramFiles%\Python%%V\python.exe"
if defined THEODOI_PY goto found
type "%~dp0can-python.txt"
if not defined THEODOI_NO_PAUSE pause >nul
exit /b 2

:found
rem One line, read before it runs: removing takes this file away.
%THEODOI_PY% "%~dp0theodoi_setup.py" %* & exit /b

:launcher
py -%1 -c "import sys, venv; sys.exit(sys.version_info < (3, 11) or 'WindowsApps' in sys.base_prefix)" >nul 2>nul
if not errorlevel 1 set "THEODOI_PY=py -%1"
exit /b 0

:try
%1 -c "import sys, venv; sys.exit(sys.version_info < (3, 11) or 'WindowsApps' in sys.base_prefix)" >nul 2>nul
if not errorlevel 1 set THEODOI_PY=%1
exit /b 0
