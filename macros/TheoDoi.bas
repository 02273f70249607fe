Attribute VB_Name = "TheoDoi"
Option Explicit

' One macro for each button. A macro only looks whether it may start and forwards to Python;
' what people read comes from Python, because VBA source cannot hold Vietnamese letters.

Private Const OPEN_DIALOG As Long = 1
Private Const FOLDER_PICKER As Long = 4
Private Const STATUS_SECONDS As Integer = 20

Public Sub TheoDoiKiemTra()
    If Not CanStart() Then Exit Sub
    RunPython "import xl_theodoi.buttons; xl_theodoi.buttons.check_book()"
    FreeStatusBarLater
End Sub

Public Sub TheoDoiTinhTrangThai()
    If Not CanStart() Then Exit Sub
    RunPython "import xl_theodoi.buttons; xl_theodoi.buttons.refresh_book()"
    FreeStatusBarLater
End Sub

Public Sub TheoDoiTongHop()
    Dim folder As String
    If Not CanStart() Then Exit Sub
    folder = PickFolder()
    If Len(folder) = 0 Then Exit Sub
    RunPython "import xl_theodoi.buttons; xl_theodoi.buttons.consolidate_book('" & Coded(folder) & "')"
    FreeStatusBarLater
End Sub

Public Sub TheoDoiBaoCao()
    Dim folder As String
    If Not CanStart() Then Exit Sub
    folder = PickFolder()
    If Len(folder) = 0 Then Exit Sub
    RunPython "import xl_theodoi.buttons; xl_theodoi.buttons.report_book('" & Coded(folder) & "')"
    FreeStatusBarLater
End Sub

Public Sub TheoDoiTraThanhTrangThai()
    Application.StatusBar = False
End Sub

' Without a workbook there is nothing to work on: Excel's own dialog to open one says so.
' While a cell is edited or a dialog is open Excel is not ready, and Python would wait forever.
Private Function CanStart() As Boolean
    CanStart = False
    If ActiveWorkbook Is Nothing Then
        Application.Dialogs(OPEN_DIALOG).Show
        Exit Function
    End If
    If Not Application.Ready Then
        Beep
        Exit Function
    End If
    CanStart = True
End Function

' An empty text means that the user pressed Cancel. Excel on a Mac has no folder picker; there
' the workbook's own folder is taken.
Private Function PickFolder() As String
    #If Mac Then
        PickFolder = ActiveWorkbook.Path
    #Else
        PickFolder = ""
        With Application.FileDialog(FOLDER_PICKER)
            .AllowMultiSelect = False
            If Len(ActiveWorkbook.Path) > 0 Then .InitialFileName = ActiveWorkbook.Path & "\"
            If .Show = -1 Then PickFolder = .SelectedItems(1)
        End With
    #End If
End Function

' A path as UTF-16 code units of four hexadecimal digits: the command line that the call goes
' through would spoil Vietnamese letters, quotes and percent signs.
Private Function Coded(ByVal path As String) As String
    Dim position As Long
    Dim digits As String
    Coded = ""
    For position = 1 To Len(path)
        digits = Hex$(AscW(Mid$(path, position, 1)) And &HFFFF&)
        Coded = Coded & Right$("000" & digits, 4)
    Next position
End Function

Private Sub FreeStatusBarLater()
    Application.OnTime Now + TimeSerial(0, 0, STATUS_SECONDS), _
        "'" & ThisWorkbook.Name & "'!TheoDoiTraThanhTrangThai"
End Sub
