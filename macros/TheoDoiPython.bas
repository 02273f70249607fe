Attribute VB_Name = "TheoDoiPython"
Option Explicit

' Starts Python for a button and waits for its end. This is a launcher of our own and not the
' module xlwings.bas, because that one
'   - reads which program to start from a sheet of whatever workbook is active, so that a workbook
'     mailed by somebody could name one, and adds that workbook's folder to Python's path;
'   - needs an open workbook, and loads libraries that other buttons of xlwings need;
'   - asks for files in the code page of the computer: a user's name with Vietnamese letters in
'     the path of Python is "not found";
'   - goes through cmd.exe, which spoils % and & in names, and takes ; for a separator.
' The two arguments by which xlwings finds Excel and the workbook are the same.

Private Const CONFIGURATION As String = "%USERPROFILE%\.TheoDoi\TheoDoi.conf"
Private Const INTERPRETER_KEY As String = "INTERPRETER_WIN"
Private Const FOR_READING As Long = 1
Private Const AS_UNICODE As Long = -1
Private Const HIDDEN_WINDOW As Long = 0
Private Const WARNING_SIGN As Long = 48
Private Const QUOTE As String = """"

' Returns 0 when Python ended well; people have read everything else by then.
Public Function RunPython(ByVal code As String) As Long
    Dim interpreter As String
    Dim book As String
    RunPython = -1
    If IsMac() Then
        Complain "no_mac"
        Exit Function
    End If
    book = ""
    If Not ActiveWorkbook Is Nothing Then book = ActiveWorkbook.Name
    On Error GoTo Forbidden
    If Expanded(book) <> book Then
        Complain "book_name"
        Exit Function
    End If
    interpreter = ConfiguredInterpreter()
    If Len(interpreter) = 0 Then
        Complain "not_installed"
        Exit Function
    End If
    If Not FileSystem().FileExists(interpreter) Then
        Complain "python_missing"
        Exit Function
    End If
    RunPython = WindowsShell().Run( _
        CommandLine(interpreter, code, book, Application.Hwnd), HIDDEN_WINDOW, True)
    On Error GoTo 0
    If RunPython <> 0 Then Complain "python_failed"
    Exit Function
Forbidden:
    RunPython = -1
    Complain "forbidden"
End Function

' The line that starts Python. -E and -P: neither settings meant for other programs nor a file in
' Excel's current folder, where returned workbooks may lie, take part.
Public Function CommandLine(ByVal interpreter As String, ByVal code As String, _
        ByVal book As String, ByVal window As String) As String
    CommandLine = Quoted(interpreter) & " -E -P -c " & Quoted(code) _
        & " --from_xl=1 --hwnd=" & window
    If Len(book) > 0 Then CommandLine = CommandLine & " " & Quoted("--wb=" & book)
End Function

' The value of a line like "KEY","VALUE"; an empty text for any other line.
Public Function ValueOfLine(ByVal entry As String, ByVal key As String) As String
    Dim start As String
    ValueOfLine = ""
    start = Quoted(key) & "," & QUOTE
    If Left$(entry, Len(start)) <> start Then Exit Function
    If Right$(entry, 1) <> QUOTE Then Exit Function
    If Len(entry) <= Len(start) Then Exit Function
    ValueOfLine = Mid$(entry, Len(start) + 1, Len(entry) - Len(start) - 1)
End Function

Private Function ConfiguredInterpreter() As String
    Dim path As String
    Dim found As String
    Dim stream As Object
    ConfiguredInterpreter = ""
    path = Expanded(CONFIGURATION)
    If Not FileSystem().FileExists(path) Then Exit Function
    Set stream = FileSystem().OpenTextFile(path, FOR_READING, False, AS_UNICODE)
    Do While Not stream.AtEndOfStream
        found = ValueOfLine(stream.ReadLine, INTERPRETER_KEY)
        If Len(found) > 0 Then ConfiguredInterpreter = Expanded(found)
    Loop
    stream.Close
End Function

' The shell that starts Python does the same with the whole line: a workbook whose name holds
' that of a variable between percent signs would be looked for by another name.
Private Function Expanded(ByVal path As String) As String
    Expanded = WindowsShell().ExpandEnvironmentStrings(path)
End Function

Private Function Quoted(ByVal text As String) As String
    Quoted = QUOTE & text & QUOTE
End Function

Private Function IsMac() As Boolean
    #If Mac Then
        IsMac = True
    #Else
        IsMac = False
    #End If
End Function

Private Function WindowsShell() As Object
    Set WindowsShell = CreateObject("WScript.Shell")
End Function

Private Function FileSystem() As Object
    Set FileSystem = CreateObject("Scripting.FileSystemObject")
End Function

' VBA's own MsgBox shows question marks for Vietnamese letters. Where the shell is forbidden too,
' the status bar says it.
Private Sub Complain(ByVal key As String)
    On Error GoTo NoShell
    WindowsShell().Popup Setting(key), 0, Setting("title"), WARNING_SIGN
    Exit Sub
NoShell:
    Application.StatusBar = Setting(key)
End Sub
