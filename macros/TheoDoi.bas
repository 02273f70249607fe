Attribute VB_Name = "TheoDoi"
Option Explicit

' One macro for each button, in the order of the month's work. A macro only looks whether it may
' start, asks for a file or a folder where one is needed, and forwards to Python. What people
' read comes from Python or from the add-in's settings: VBA source cannot hold Vietnamese letters.

Public Sub TheoDoiTaoSo()
    Dim path As String
    If Not CanStart(False) Then Exit Sub
    path = PickNewFile("pick_new")
    If Len(path) > 0 Then ForwardPath "new_book", path
End Sub

Public Sub TheoDoiThemNhiemVu()
    Dim path As String
    If Not CanStart(True) Then Exit Sub
    path = PickFile("pick_tasks")
    If Len(path) > 0 Then ForwardPath "add_book", path
End Sub

Public Sub TheoDoiKiemTra()
    If CanStart(True) Then Forward "check_book"
End Sub

Public Sub TheoDoiTinhTrangThai()
    If CanStart(True) Then Forward "refresh_book"
End Sub

Public Sub TheoDoiGuiDonVi()
    Dim path As String
    If Not CanStart(True) Then Exit Sub
    path = PickFolder("pick_send")
    If Len(path) > 0 Then ForwardPath "send_book", path
End Sub

Public Sub TheoDoiTongHop()
    Dim path As String
    If Not CanStart(True) Then Exit Sub
    path = PickFolder("pick_returned")
    If Len(path) > 0 Then ForwardPath "consolidate_book", path
End Sub

Public Sub TheoDoiBaoCao()
    Dim path As String
    If Not CanStart(True) Then Exit Sub
    path = PickFolder("pick_reports")
    If Len(path) > 0 Then ForwardPath "report_book", path
End Sub

Public Sub TheoDoiHoanTac()
    If CanStart(True) Then Forward "undo_book"
End Sub

Public Sub TheoDoiTroGiup()
    If CanStart(False) Then Forward "help_book"
End Sub

Public Sub TheoDoiChanDoan()
    If CanStart(False) Then Forward "doctor_book"
End Sub

Private Sub Forward(ByVal entry As String)
    CallPython entry & "()"
End Sub

Private Sub ForwardPath(ByVal entry As String, ByVal path As String)
    CallPython entry & "('" & Coded(path) & "')"
End Sub

' Esc is Python's while it works: it stops between two files, whereas Excel would stop the macro
' in the middle and leave Python working.
Private Sub CallPython(ByVal code As String)
    KeepEscForPython
    RunPython "import xl_theodoi.buttons; xl_theodoi.buttons." & code
    FreeStatusBarLater
End Sub

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
