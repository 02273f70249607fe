Attribute VB_Name = "TheoDoiRibbon"
Option Explicit

' What the buttons of the ribbon call. Excel calls them with the control; the macros beside them
' have no argument, so that people can run them by name or from the quick access toolbar too.

Public Sub TheoDoiRibbonNew(control As IRibbonControl)
    TheoDoiTaoSo
End Sub

Public Sub TheoDoiRibbonAdd(control As IRibbonControl)
    TheoDoiThemNhiemVu
End Sub

Public Sub TheoDoiRibbonCheck(control As IRibbonControl)
    TheoDoiKiemTra
End Sub

Public Sub TheoDoiRibbonRefresh(control As IRibbonControl)
    TheoDoiTinhTrangThai
End Sub

Public Sub TheoDoiRibbonSend(control As IRibbonControl)
    TheoDoiGuiDonVi
End Sub

Public Sub TheoDoiRibbonConsolidate(control As IRibbonControl)
    TheoDoiTongHop
End Sub

Public Sub TheoDoiRibbonReport(control As IRibbonControl)
    TheoDoiBaoCao
End Sub

Public Sub TheoDoiRibbonUndo(control As IRibbonControl)
    TheoDoiHoanTac
End Sub

Public Sub TheoDoiRibbonHelp(control As IRibbonControl)
    TheoDoiTroGiup
End Sub

Public Sub TheoDoiRibbonDoctor(control As IRibbonControl)
    TheoDoiChanDoan
End Sub
