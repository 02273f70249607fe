Attribute VB_Name = "TheoDoi"
Option Explicit

' One macro for each button, in the order of the month's work. A macro only looks whether it may
' start, asks for a file or a folder where one is needed, and forwards to Python. What people
' read comes from Python or from the add-in's settings: VBA source cannot hold Vietnamese letters.

Public Sub TheoDoiTaoSo()
    Dim path As String
    If Not CanStart(False) Then Exit Sub
    path = PickNewFile("pick_new")
    If Len(path) = 0 Then Exit Sub
    RunPython "import xl_theodoi.buttons; xl_theodoi.buttons.new_book('" & Coded(path) & "')"
    FreeStatusBarLater
End Sub

Public Sub TheoDoiThemNhiemVu()
    Dim path As String
    If Not CanStart(True) Then Exit Sub
    path = PickFile("pick_tasks")
    If Len(path) = 0 Then Exit Sub
    RunPython "import xl_theodoi.buttons; xl_theodoi.buttons.add_book('" & Coded(path) & "')"
    FreeStatusBarLater
End Sub

Public Sub TheoDoiKiemTra()
    If Not CanStart(True) Then Exit Sub
    RunPython "import xl_theodoi.buttons; xl_theodoi.buttons.check_book()"
    FreeStatusBarLater
End Sub

Public Sub TheoDoiTinhTrangThai()
    If Not CanStart(True) Then Exit Sub
    RunPython "import xl_theodoi.buttons; xl_theodoi.buttons.refresh_book()"
    FreeStatusBarLater
End Sub

Public Sub TheoDoiGuiDonVi()
    Dim path As String
    If Not CanStart(True) Then Exit Sub
    path = PickFolder("pick_send")
    If Len(path) = 0 Then Exit Sub
    RunPython "import xl_theodoi.buttons; xl_theodoi.buttons.send_book('" & Coded(path) & "')"
    FreeStatusBarLater
End Sub

Public Sub TheoDoiTongHop()
    Dim path As String
    If Not CanStart(True) Then Exit Sub
    path = PickFolder("pick_returned")
    If Len(path) = 0 Then Exit Sub
    RunPython "import xl_theodoi.buttons; xl_theodoi.buttons.consolidate_book('" & Coded(path) & "')"
    FreeStatusBarLater
End Sub

Public Sub TheoDoiBaoCao()
    Dim path As String
    If Not CanStart(True) Then Exit Sub
    path = PickFolder("pick_reports")
    If Len(path) = 0 Then Exit Sub
    RunPython "import xl_theodoi.buttons; xl_theodoi.buttons.report_book('" & Coded(path) & "')"
    FreeStatusBarLater
End Sub

Public Sub TheoDoiHoanTac()
    If Not CanStart(True) Then Exit Sub
    RunPython "import xl_theodoi.buttons; xl_theodoi.buttons.undo_book()"
    FreeStatusBarLater
End Sub

Public Sub TheoDoiTroGiup()
    If Not CanStart(False) Then Exit Sub
    RunPython "import xl_theodoi.buttons; xl_theodoi.buttons.help_book()"
    FreeStatusBarLater
End Sub

Public Sub TheoDoiChanDoan()
    If Not CanStart(False) Then Exit Sub
    RunPython "import xl_theodoi.buttons; xl_theodoi.buttons.doctor_book()"
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
