Attribute VB_Name = "TheoDoiExcel"
Option Explicit

' What only Excel can answer: whether it is ready, and the file or folder a person picks.
' An empty text means that the person pressed Cancel.

Private Const OPEN_DIALOG As Long = 1
Private Const FOLDER_PICKER As Long = 4
Private Const NO_INTERRUPTION As Long = 0
Private Const STATUS_SECONDS As Integer = 20
Private Const SETTINGS_SHEET As String = "Settings"

Private freeAt As Date

' Without a workbook there is nothing to work on: Excel's own dialog to open one says so.
' While a cell is edited or a dialog is open Excel is not ready, and Python would wait forever.
Public Function CanStart(ByVal needsBook As Boolean) As Boolean
    CanStart = False
    If needsBook And ActiveWorkbook Is Nothing Then
        Application.Dialogs(OPEN_DIALOG).Show
        Exit Function
    End If
    If Not Application.Ready Then
        Beep
        Exit Function
    End If
    ' Esc is Python's while it works: it stops between two files, whereas Excel would stop the
    ' macro in the middle and leave Python working. Excel resets this when the macro ends.
    Application.EnableCancelKey = NO_INTERRUPTION
    CanStart = True
End Function

' Excel on a Mac has no folder picker; there the workbook's own folder is taken.
Public Function PickFolder(ByVal titleKey As String) As String
    #If Mac Then
        PickFolder = ActiveWorkbook.Path
    #Else
        PickFolder = ""
        With Application.FileDialog(FOLDER_PICKER)
            .AllowMultiSelect = False
            If Len(Setting(titleKey)) > 0 Then .Title = Setting(titleKey)
            If Len(BookFolder()) > 0 Then .InitialFileName = BookFolder() & "\"
            If .Show = -1 Then PickFolder = .SelectedItems(1)
        End With
    #End If
End Function

Public Function PickFile(ByVal titleKey As String) As String
    Dim answer As Variant
    #If Mac Then
        answer = Application.GetOpenFilename()
    #Else
        answer = Application.GetOpenFilename("CSV, Excel (*.csv;*.xlsx),*.csv;*.xlsx", _
            1, TitleOr(titleKey, "Excel"), , False)
    #End If
    PickFile = PickedText(answer)
End Function

Public Function PickNewFile(ByVal titleKey As String) As String
    Dim answer As Variant
    Dim proposed As String
    proposed = TitleOr("new_name", "SoTheoDoi.xlsx")
    #If Mac Then
        answer = Application.GetSaveAsFilename(proposed)
    #Else
        answer = Application.GetSaveAsFilename(proposed, "Excel (*.xlsx),*.xlsx", _
            1, TitleOr(titleKey, "Excel"))
    #End If
    PickNewFile = PickedText(answer)
End Function

' A text of the add-in's sheet of settings; an empty one where the modules were imported into a
' workbook of the user's, which has no such sheet.
Public Function Setting(ByVal key As String) As String
    Dim place As Long
    Dim sheet As Object
    Setting = ""
    On Error GoTo NoSettings
    Set sheet = ThisWorkbook.Worksheets(SETTINGS_SHEET)
    place = 1
    Do While Len(sheet.Cells(place, 1).Value) > 0
        If sheet.Cells(place, 1).Value = key Then
            Setting = sheet.Cells(place, 2).Value
            Exit Function
        End If
        place = place + 1
    Loop
NoSettings:
End Function

' The last line of Python stays in the status bar for a while, then Excel has it back. A second
' button within that time puts the first one's clock off.
Public Sub FreeStatusBarLater()
    Dim macro As String
    macro = "'" & ThisWorkbook.Name & "'!TheoDoiTraThanhTrangThai"
    On Error Resume Next
    If freeAt > 0 Then Application.OnTime freeAt, macro, , False
    On Error GoTo 0
    freeAt = Now + TimeSerial(0, 0, STATUS_SECONDS)
    Application.OnTime freeAt, macro
End Sub

Public Sub TheoDoiTraThanhTrangThai()
    freeAt = 0
    Application.StatusBar = False
End Sub

' A workbook that was never saved has no folder, one on OneDrive has an address instead.
Private Function BookFolder() As String
    BookFolder = ""
    If ActiveWorkbook Is Nothing Then Exit Function
    If InStr(ActiveWorkbook.Path, "://") = 0 Then BookFolder = ActiveWorkbook.Path
End Function

Private Function TitleOr(ByVal key As String, ByVal otherwise As String) As String
    TitleOr = Setting(key)
    If Len(TitleOr) = 0 Then TitleOr = otherwise
End Function

' Excel answers False for Cancel, and a text otherwise.
Private Function PickedText(ByVal answer As Variant) As String
    PickedText = ""
    If VarType(answer) = vbString Then PickedText = answer
End Function
